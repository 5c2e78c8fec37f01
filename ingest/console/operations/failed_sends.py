"""Dead letters: list, replay, drop."""

from collections.abc import Collection
from typing import Any

from ingest.console.operations import SHOWN
from ingest.console.visit import Visit
from storage.broker.queues import SENDS
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.postgres.acts import sends as acts
from storage.postgres.sends import failed_sends


async def list_failed(visit: Visit) -> list[dict[str, Any]]:
    """The newest dead letters, or those before `before_id`; of what was written only the titles of apps."""
    found = await visit.services.database.query(
        failed_sends.list_failed, limit=SHOWN, before_id=visit.before_id
    )
    return [
        {
            "id": str(one.id),
            "error": one.error,
            "attempts": one.attempts,
            "failed_at": one.failed_at.isoformat(),
            "type": one.payload["type"],
            "is_broadcast": one.payload["is_broadcast"],
            "sender_id": one.payload["sender_id"],
            "receiver_id": one.payload["receiver_id"],
            "app_name": one.payload["app_name"],
            # What one person writes to another is not for operators.
            "title": one.payload["title"] if one.payload["sent_by_app_id"] else None,
        }
        for one in found
    ]


async def replay(visit: Visit) -> dict[str, Any]:
    """Make a dead letter a send again; raises NotFound."""
    _check_found(
        await visit.services.database.transaction(acts.replay_failed, visit.actor, ids=[visit.id])
    )
    visit.services.backends.doorbell.ring(SENDS)
    return {}


async def drop(visit: Visit) -> dict[str, Any]:
    """Delete a dead letter for good; raises NotFound."""
    _check_found(
        await visit.services.database.transaction(acts.drop_failed, visit.actor, ids=[visit.id])
    )
    return {}


def _check_found(ids: Collection[int]) -> None:
    if not ids:
        raise NotFound("There is no such failed send.", code=ErrorCode.UNKNOWN_FAILED_SEND)
