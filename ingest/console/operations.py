"""What the console's page asks and does, as JSON shapes. Whoever comes here is the operator.

What it does is written to the log: the record does not tell who cancelled a broadcast.
"""

import asyncio
import logging
import time
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from ingest.services import Services
from storage.broker.queues import SENDS
from storage.model.caller import App, Person
from storage.model.errors import NotFound, TransientError
from storage.postgres import overview
from storage.postgres.broadcasts import cancellation
from storage.postgres.messages import conversations
from storage.postgres.people import apps, directory
from storage.postgres.sends import failed_sends
from storage.valkey.gateway_reports import GatewayCounts

SHOWN = 50
_RUNNING_SHOWN = 20

_log = logging.getLogger(__name__)


async def look(services: Services) -> dict[str, Any]:
    """How things stand: `at` (Unix time), backlog, rings and gateways (None: nobody answered)."""
    seen, rings, gateways = await asyncio.gather(
        services.database.query(overview.read_overview, limit=_RUNNING_SHOWN),
        _rings(services),
        _gateways(services),
    )
    return {
        "at": time.time(),
        "backlog": asdict(seen.backlog),
        "ids_made": seen.ids_made,
        "rings": rings,
        "gateways": None if gateways is None else asdict(gateways),
    }


async def _rings(services: Services) -> dict[str, int] | None:
    try:
        return await asyncio.to_thread(services.backends.doorbell.queue_lengths)
    except Exception:  # noqa: BLE001 (kombu raises the drivers' errors, of many kinds)
        return None


async def _gateways(services: Services) -> GatewayCounts | None:
    try:
        return await services.backends.gateways.read_counts()
    except TransientError:
        return None


async def list_broadcasts(services: Services, before_id: int | None) -> list[dict[str, Any]]:
    """The newest of all apps."""
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
    """Begin to take a broadcast back."""
    await services.recaller.recall_broadcast(id)
    _log.info("The operator recalled broadcast %d.", id)
    return {}


async def list_failed(services: Services, before_id: int | None) -> list[dict[str, Any]]:
    """The newest dead letters. Neither title nor content: an operator is not who they are for."""
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
        }
        for one in found
    ]


async def replay(services: Services, id: int) -> dict[str, Any]:
    """Let a dead letter be a send again."""
    _there(await services.database.transaction(failed_sends.replay, [id]))
    services.backends.doorbell.ring(SENDS)
    _log.info("The operator replayed send %d.", id)
    return {}


async def drop(services: Services, id: int) -> dict[str, Any]:
    """Give a dead letter up for good."""
    _there(await services.database.transaction(failed_sends.drop, [id]))
    _log.info("The operator dropped send %d.", id)
    return {}


def _there(ids: Collection[int]) -> None:
    if not ids:
        raise NotFound("There is no such failed send.")


async def list_apps(services: Services) -> list[dict[str, Any]]:
    """Every app."""
    return [_app(one) for one in await services.database.query(apps.list_all)]


def _app(app: App) -> dict[str, Any]:
    return {
        "id": app.id,
        "app_id": app.app_id,
        "name": app.name,
        "is_active": app.is_active,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
    }


async def rotate_secret(services: Services, id: int) -> dict[str, Any]:
    """A new secret of an app, told this once; the one before stays valid until the next time."""
    found = await services.database.query(apps.find_by_id, id)
    if found is None:
        raise NotFound("There is no such app.")
    secret = await services.database.transaction(apps.rotate_secret, id, vault=services.vault)
    _log.info("The operator rotated the secret of app %s.", found.app_id)
    return {"app_id": found.app_id, "secret": secret}


async def find_people(services: Services, asked: str) -> dict[str, Any]:
    """People by id, or by part of a name or mobile; `total` of all that match."""
    if not asked:
        return {"total": 0, "people": []}
    if asked.isascii() and asked.isdigit() and len(asked) < len(str(2**63)):
        one = await services.database.query(directory.find, int(asked))
        if one is not None:
            return {"total": 1, "people": [await _with_unread(services, one)]}
    total, found = await services.backends.shares.lists.query(
        directory.list_people, asked, skip=0, limit=SHOWN
    )
    return {"total": total, "people": [_person(one) for one in found]}


async def _with_unread(services: Services, person: Person) -> dict[str, Any]:
    unread = await services.database.query(conversations.count_unread, person.id)
    return _person(person) | {"unread": unread}


def _person(person: Person) -> dict[str, Any]:
    return asdict(person) | {"id": str(person.id), "is_active": person.is_active}
