"""Broadcasts of every app: list, cancel, recall, try again at once what fails."""

from dataclasses import asdict
from typing import Any

from ingest.console.operations import SHOWN
from ingest.console.visit import Visit
from storage.broker.queues import BROADCASTS
from storage.postgres import overview
from storage.postgres.acts import broadcasts as acts
from storage.postgres.broadcasts import cancellation


async def list_broadcasts(visit: Visit) -> list[dict[str, Any]]:
    """The newest broadcasts of all apps, or those before `before_id`."""
    found = await visit.services.database.query(
        overview.list_latest_broadcasts, limit=SHOWN, before_id=visit.before_id
    )
    return [
        asdict(one) | {"id": str(one.id), "created_at": one.created_at.isoformat()} for one in found
    ]


async def cancel(visit: Visit) -> dict[str, Any]:
    """Stop a broadcast: what is not expanded when this returns never will be. Raises NotFound."""
    database = visit.services.database
    await database.transaction(acts.cancel, visit.actor, id=visit.id)
    await database.transaction(cancellation.discard_waiting, visit.id)
    return {}


async def recall(visit: Visit) -> dict[str, Any]:
    """Begin to take a broadcast back from every history. Raises NotFound."""
    database = visit.services.database
    await database.transaction(acts.start_recall, visit.actor, id=visit.id)
    await database.transaction(cancellation.discard_waiting, visit.id)
    visit.services.backends.doorbell.ring(BROADCASTS)
    return {}


async def retry(visit: Visit) -> dict[str, Any]:
    """Have what of a broadcast fails tried at once; `parts` says how much that is. Raises NotFound."""
    parts = await visit.services.database.transaction(acts.retry, visit.actor, id=visit.id)
    visit.services.backends.doorbell.ring(BROADCASTS)
    return {"parts": parts}
