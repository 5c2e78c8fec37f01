"""Dead letters: list, replay, drop."""

import logging
from collections.abc import Collection
from typing import Any

from ingest.console.operations import SHOWN
from ingest.services import Services
from storage.broker.queues import SENDS
from storage.model.errors import NotFound
from storage.postgres.sends import failed_sends

_log = logging.getLogger(__name__)


async def list_failed(services: Services, before_id: int | None) -> list[dict[str, Any]]:
    """The newest dead letters, or those before `before_id`; of what was written only the titles of apps."""
    found = await services.database.query(
        failed_sends.list_failed, limit=SHOWN, before_id=before_id
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


async def replay(services: Services, id: int) -> dict[str, Any]:
    """Make a dead letter a send again; raises NotFound."""
    _check_found(await services.database.transaction(failed_sends.replay, [id]))
    services.backends.doorbell.ring(SENDS)
    _log.info("The operator replayed send %d.", id)
    return {}


async def drop(services: Services, id: int) -> dict[str, Any]:
    """Delete a dead letter for good; raises NotFound."""
    _check_found(await services.database.transaction(failed_sends.drop, [id]))
    _log.info("The operator dropped send %d.", id)
    return {}


def _check_found(ids: Collection[int]) -> None:
    if not ids:
        raise NotFound("There is no such failed send.")
