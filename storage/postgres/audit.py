"""The audit: who did what to the deployment, and when. Rows are added, read, and let go of after years; never changed.

Every act of an operator writes its row in its own transaction, so that neither can be there without the other. The acts
of the console and of commands are in `acts/`; PostgreSQL itself refuses to change a row
(docs/decisions/0032-named-operators.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, text

from storage.model.errors import NotSignedIn
from storage.model.operator import Actor
from storage.postgres.tables import audit

# The act of somebody who was refused; what it would have been is in `after`.
REFUSED = "refused"
# A backup that is whole: `after` has the instant of the record in it, as `as_of`. Upkeep tells Prometheus of the last one.
BACKED_UP = "record.backed-up"
_LONGEST_TEXT = 255
# Refused acts of one actor that are written within a minute. A script that presses a button on and on must not fill the
# table; metrics count them all.
_REFUSALS_A_MINUTE = 30


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act: `before` and `after` say what of `target` changed; None where there is nothing to say."""

    id: int
    at: datetime
    who: str
    role: str
    act: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    address: str


# A named operator's row is locked until the commit: to disable them, or to change their role, waits for what they are
# just doing, and nothing of theirs is committed after it.
_RECORD = text("""
WITH still AS (
  SELECT FROM operators WHERE name = :who AND role = :role AND disabled_at IS NULL FOR SHARE
)
INSERT INTO audit (who, role, act, target, before, after, request_id, address)
SELECT :who, :role, :act, :target, CAST(:before AS jsonb), CAST(:after AS jsonb), :request_id, :address
 WHERE NOT :is_named OR EXISTS (SELECT FROM still)
""")


def record(
    connection: Connection,
    actor: Actor,
    *,
    act: str,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down what `actor` does, in the caller's transaction, which is that of the act.

    `act` is `<subject>.<verb>`, `target` is the subject and its name or id (`app oa`, `broadcast 42`). `before` and
    `after` hold what changed, and neither a secret nor what people wrote; long texts are cut. Raises NotSignedIn if the
    actor was disabled or given another role meanwhile: then the act must not be committed.
    """
    done = connection.execute(
        _RECORD,
        _describe(actor, act, target)
        | {"before": _encode(before), "after": _encode(after), "is_named": actor.is_named},
    )
    if not done.rowcount:
        raise NotSignedIn("You are not signed in any more, or your role was changed.")


_RECORD_REFUSAL = text("""
INSERT INTO audit (who, role, act, target, after, request_id, address)
SELECT :who, :role, :act, :target, CAST(:after AS jsonb), :request_id, :address
 WHERE (SELECT count(*) FROM (
          SELECT at FROM audit WHERE who = :who AND act = :act ORDER BY id DESC LIMIT :most) latest
         WHERE at > clock_timestamp() - interval '1 minute') < :most
""")


def record_refusal(connection: Connection, actor: Actor, *, act: str, target: str) -> None:
    """Write down that `actor` asked for an act that their role does not allow; so many a minute and no more.

    Index: audit_who.
    """
    connection.execute(
        _RECORD_REFUSAL,
        _describe(actor, REFUSED, target)
        | {"after": _encode({"act": act}), "most": _REFUSALS_A_MINUTE},
    )


def _describe(actor: Actor, act: str, target: str) -> dict[str, str]:
    return {
        "who": actor.name,
        "role": actor.role,
        "act": act,
        "target": _shorten(target),
        "request_id": actor.request_id,
        "address": _shorten(actor.address),
    }


def _encode(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(_shorten_all(values)).decode()


def _shorten_all(value: Any) -> Any:
    if isinstance(value, str):
        return _shorten(value)
    if isinstance(value, Mapping):
        return {_shorten(str(name)): _shorten_all(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten_all(one) for one in value]
    return value


def _shorten(text: str) -> str:
    """`text` as the table can hold it: not too long, without NUL and lone surrogates."""
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", "?")


def list_rows(
    connection: Connection,
    *,
    limit: int,
    before_id: int | None = None,
    who: str | None = None,
    act: str | None = None,
    target: str | None = None,
    since: datetime | None = None,
) -> list[AuditRow]:
    """Up to `limit` rows, newest first: those before `before_id`, and those that match what is not None, exactly.

    Indexes: audit_who, audit_act, audit_target, audit_at, or the primary key.
    """
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(audit.c.id < before_id)
    if since is not None:
        query = query.where(audit.c.at >= since)
    for column, wanted in ((audit.c.who, who), (audit.c.act, act), (audit.c.target, target)):
        if wanted is not None:
            query = query.where(column == _shorten(wanted))
    return [_read_row(row) for row in connection.execute(query)]


def _read_row(row: Row[Any]) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=row.at,
        who=row.who,
        role=row.role,
        act=row.act,
        target=row.target,
        before=row.before,
        after=row.after,
        request_id=row.request_id,
        address=row.address,
    )


_DROP_OLD = text("SELECT drop_old_audit(CAST(:kept AS interval), :slice)")


def drop_old(connection: Connection, *, kept: timedelta, slice: int) -> int:
    """Delete rows that are older than `kept`, of the `slice` oldest; returns how many.

    PostgreSQL keeps what is younger than thirty days, whatever `kept` is. Index: audit_at.
    """
    asked = {"kept": kept, "slice": slice}
    return int(connection.execute(_DROP_OLD, asked).scalar_one())
