"""Broadcasts of every app: list, cancel, recall."""

import logging
from dataclasses import asdict
from typing import Any

from ingest.console.operations import SHOWN
from ingest.services import Services
from storage.postgres import overview
from storage.postgres.broadcasts import cancellation

_log = logging.getLogger(__name__)


async def list_broadcasts(services: Services, before_id: int | None) -> list[dict[str, Any]]:
    """The newest broadcasts of all apps, or those before `before_id`."""
    found = await services.database.query(
        overview.list_latest_broadcasts, limit=SHOWN, before_id=before_id
    )
    return [
        asdict(one) | {"id": str(one.id), "created_at": one.created_at.isoformat()} for one in found
    ]


async def cancel(services: Services, id: int) -> dict[str, Any]:
    """Stop a broadcast: what is not expanded when this returns never will be."""
    await services.database.transaction(cancellation.cancel, id)
    await services.database.transaction(cancellation.discard_waiting, id)
    _log.info("The operator cancelled broadcast %d.", id)
    return {}


async def recall(services: Services, id: int) -> dict[str, Any]:
    """Begin to take a broadcast back from every history."""
    await services.recaller.recall_broadcast(id)
    _log.info("The operator recalled broadcast %d.", id)
    return {}
