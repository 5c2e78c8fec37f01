"""Pausing the work of a queue, or everything of an app, for a while: what operators do in an emergency.

Called by `carillon pause`, `resume` and `pauses`, the console, doctor and the sweep. Lanes read these rows
(`held_apps.py`) in the statements by which they take work, so a pause begins between two batches or chunks. Nothing is
refused meanwhile: sends are accepted as ever (docs/decisions/0033-pauses.md).
"""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, invalid
from storage.model.operator import SYSTEM, Actor, Role
from storage.model.pause import LONGEST_REASON, PAUSABLE_QUEUES, Pause, PauseKind
from storage.postgres import audit
from storage.postgres.held_apps import IS_IN_EFFECT, take_turn, update_held_apps

_FIND = text(f"SELECT * FROM pauses WHERE kind = :kind AND target = :target AND {IS_IN_EFFECT}")  # noqa: S608 (a constant)
_LIST = text(f"SELECT * FROM pauses WHERE {IS_IN_EFFECT} ORDER BY kind DESC, target")  # noqa: S608 (as above)
_APP_IDS = text("SELECT app_id FROM apps")
_IS_AHEAD = text("SELECT CAST(:until AS timestamptz) > clock_timestamp()")
# A pause that is set again goes on: since when it lasts stays. One whose `until` has passed begins anew.
_PAUSE = text("""
INSERT INTO pauses AS p (kind, target, reason, paused_by, until)
VALUES (:kind, :target, :reason, :paused_by, :until)
ON CONFLICT (kind, target) DO UPDATE
   SET reason = excluded.reason, paused_by = excluded.paused_by, until = excluded.until,
       paused_at = CASE WHEN p.until <= clock_timestamp() THEN clock_timestamp() ELSE p.paused_at END
RETURNING *
""")
_RESUME = text("DELETE FROM pauses WHERE kind = :kind AND target = :target")
_END = text("DELETE FROM pauses WHERE until <= clock_timestamp() RETURNING *")

# Who ends a pause whose time is over.
_ITSELF = Actor(SYSTEM, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class PauseChange:
    """A pause before and after somebody changed it; None: there was none, or is none."""

    before: Pause | None
    after: Pause | None


def pause(
    connection: Connection,
    kind: PauseKind,
    target: str,
    *,
    reason: str,
    until: datetime | None,
    actor: Actor,
) -> PauseChange:
    """Pause a queue or an app, or change the reason and the end of its pause.

    Lanes that take work after the commit pass over it; what one has in hand is finished. Two who do it at once do it
    one after the other. Raises NotFound if there is no such queue or app, and Invalid if `until` is not in the
    future by PostgreSQL's clock.
    """
    _check(connection, kind, target, reason=reason, until=until)
    take_turn(connection)
    before = _find(connection, kind, target)
    asked = {"kind": kind, "target": target, "reason": reason, "paused_by": actor.name}
    after = _read(connection.execute(_PAUSE, asked | {"until": until}).one())
    update_held_apps(connection)
    _record(connection, actor, PauseChange(before, after), act="pause.set")
    return PauseChange(before, after)


def resume(connection: Connection, kind: PauseKind, target: str, *, actor: Actor) -> PauseChange:
    """End a pause; after the commit the caller rings the queues `sends` and `broadcasts`.

    What was held goes on in its order. Safe to repeat: `before` is None if nothing was paused. Raises NotFound if there
    is no such queue or app.
    """
    _check(connection, kind, target, reason="", until=None)
    take_turn(connection)
    before = _find(connection, kind, target)
    connection.execute(_RESUME, {"kind": kind, "target": target})
    update_held_apps(connection)
    change = PauseChange(before, None)
    if before is not None:
        _record(connection, actor, change, act="pause.end")
    return change


def list_pauses(connection: Connection) -> list[Pause]:
    """Every pause that is in effect: queues first, then apps by their string id."""
    return [_read(row) for row in connection.execute(_LIST)]


def end_expired(connection: Connection) -> list[Pause]:
    """Delete the pauses whose `until` has passed, and return them. What was held goes on after the commit."""
    ended = [_read(row) for row in connection.execute(_END)]
    for one in ended:
        _record(connection, _ITSELF, PauseChange(one, None), act="pause.end")
    return ended


def _record(connection: Connection, actor: Actor, change: PauseChange, *, act: str) -> None:
    one = change.after or change.before
    if one is None:
        raise AssertionError("A change has a pause before it or after it.")
    before, after = (
        None if side is None else _describe(side) for side in (change.before, change.after)
    )
    audit.record(
        connection, actor, act=act, target=f"{one.kind} {one.target}", before=before, after=after
    )


def _describe(one: Pause) -> dict[str, Any]:
    return {"reason": one.reason, "until": one.until.isoformat() if one.until else None}


def _check(
    connection: Connection, kind: PauseKind, target: str, *, reason: str, until: datetime | None
) -> None:
    if kind is PauseKind.QUEUE:
        _check_queue(target)
    else:
        _check_app(connection, target)
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise invalid("reason", f"A reason has up to {LONGEST_REASON} characters, and no NUL.")
    if until is not None and not connection.execute(_IS_AHEAD, {"until": until}).scalar_one():
        raise invalid(
            "until", f"{until.isoformat()} is not in the future: a pause cannot end then."
        )


def _check_queue(name: str) -> None:
    if name == "upkeep":
        raise invalid(
            "target",
            "The queue upkeep cannot be paused: without the sweep and next month's partitions nothing else would go on.",
        )
    if name not in PAUSABLE_QUEUES:
        raise NotFound(
            f"There is no queue “{name[:64]}” to pause: it is {' or '.join(PAUSABLE_QUEUES)}.",
            code=ErrorCode.UNKNOWN_QUEUE,
        )


def _check_app(connection: Connection, app_id: str) -> None:
    known = list(connection.execute(_APP_IDS).scalars())
    if app_id in known:
        return
    near = get_close_matches(app_id, known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " carillon app list shows all."
    raise NotFound(f"There is no app “{app_id[:64]}”.{hint}", code=ErrorCode.UNKNOWN_APP)


def _find(connection: Connection, kind: PauseKind, target: str) -> Pause | None:
    row = connection.execute(_FIND, {"kind": kind, "target": target}).first()
    return _read(row) if row else None


def _read(row: Row[Any]) -> Pause:
    return Pause(
        kind=PauseKind(row.kind),
        target=row.target,
        reason=row.reason,
        paused_by=row.paused_by,
        paused_at=row.paused_at,
        until=row.until,
    )
