"""How things stand, at a glance: the backlog, rings and gateways."""

import asyncio
import time
from dataclasses import asdict
from typing import Any

from ingest.console.operations.pauses import show_pause
from ingest.console.visit import Visit
from ingest.services import Services
from storage.model.errors import TransientError
from storage.postgres import overview
from storage.valkey.gateway_reports import GatewayCounts

_RUNNING_SHOWN = 20


async def show_overview(visit: Visit) -> dict[str, Any]:
    """How things stand: `at` (Unix time), the backlog, rings, gateways and pauses.

    Rings and gateways are None if the broker or Valkey could not be asked.
    """
    services = visit.services
    seen, rings, gateways = await asyncio.gather(
        services.database.query(overview.read_overview, limit=_RUNNING_SHOWN),
        _count_rings(services),
        _count_gateways(services),
    )
    return {
        "at": time.time(),
        "backlog": asdict(seen.backlog),
        "ids_made": seen.ids_made,
        "rings": rings,
        "gateways": None if gateways is None else asdict(gateways),
        "pauses": [show_pause(one) for one in seen.pauses],
    }


async def _count_rings(services: Services) -> dict[str, int] | None:
    try:
        return await asyncio.to_thread(services.backends.doorbell.queue_lengths)
    except Exception:  # noqa: BLE001 (kombu raises the drivers' errors, of many kinds)
        return None


async def _count_gateways(services: Services) -> GatewayCounts | None:
    try:
        return await services.backends.gateways.read_counts()
    except TransientError:
        return None
