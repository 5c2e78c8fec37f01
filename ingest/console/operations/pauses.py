"""Pauses: the work of a queue, or everything of an app, stopped for a while and resumed."""

from typing import Annotated, Any

from pydantic import Field

from ingest.console.operations import show_instant
from ingest.console.visit import Visit
from ingest.models.field_types import Instant
from ingest.models.requests import RequestModel
from storage.broker.queues import BROADCASTS, SENDS
from storage.model.pause import LONGEST_REASON, Pause, PauseKind
from storage.postgres import pauses

_LONGEST_TARGET = 255


class TargetBody(RequestModel):
    """What is paused: a queue by its name, or an app by its string id."""

    kind: Annotated[PauseKind, Field(strict=False)]
    target: Annotated[str, Field(max_length=_LONGEST_TARGET)]


class PauseBody(TargetBody):
    """A pause to be set; without `until` it lasts until somebody ends it."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    until: Instant | None = None


async def list_pauses(visit: Visit) -> list[dict[str, Any]]:
    """Every pause that is in effect."""
    return [show_pause(one) for one in await visit.services.database.query(pauses.list_pauses)]


def show_pause(one: Pause) -> dict[str, Any]:
    """A pause as the page reads it."""
    return {
        "kind": one.kind,
        "target": one.target,
        "reason": one.reason,
        "paused_by": one.paused_by,
        "paused_at": show_instant(one.paused_at),
        "until": show_instant(one.until),
    }


async def pause(visit: Visit) -> dict[str, Any]:
    """Pause a queue or an app, or change the reason and the end of its pause. Raises NotFound, Invalid."""
    body = await visit.read_body(PauseBody)
    await visit.services.database.transaction(
        pauses.pause,
        body.kind,
        body.target,
        reason=body.reason,
        until=body.until,
        actor=visit.actor,
    )
    return {}


async def resume(visit: Visit) -> dict[str, Any]:
    """End a pause: what was held goes on at once, in its order. Safe to repeat. Raises NotFound."""
    body = await visit.read_body(TargetBody)
    await visit.services.database.transaction(
        pauses.resume, body.kind, body.target, actor=visit.actor
    )
    for queue in (SENDS, BROADCASTS):
        visit.services.backends.doorbell.ring(queue)
    return {}
