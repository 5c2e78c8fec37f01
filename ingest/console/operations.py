"""What the console's page asks and does, as JSON shapes. Called only for an operator who is signed in.

Every action is written to the log, because the database does not say who cancelled a broadcast.
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


async def show_overview(services: Services) -> dict[str, Any]:
    """How things stand: `at` (Unix time), the backlog, rings and gateways.

    Rings and gateways are None if the broker or Valkey could not be asked.
    """
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


async def list_failed(services: Services, before_id: int | None) -> list[dict[str, Any]]:
    """The newest dead letters, or those before `before_id`; without their texts, which are not for operators."""
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


async def list_apps(services: Services) -> list[dict[str, Any]]:
    """Every app, active or not."""
    return [_show_app(one) for one in await services.database.query(apps.list_all)]


def _show_app(app: App) -> dict[str, Any]:
    return {
        "id": app.id,
        "app_id": app.app_id,
        "name": app.name,
        "is_active": app.is_active,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
    }


async def rotate_secret(services: Services, id: int) -> dict[str, Any]:
    """Make a new secret of an app, shown only this once; the one before stays valid until the next rotation.

    Raises NotFound.
    """
    found = await services.database.query(apps.find_by_id, id)
    if found is None:
        raise NotFound("There is no such app.")
    secret = await services.database.transaction(apps.rotate_secret, id, vault=services.vault)
    _log.info("The operator rotated the secret of app %s.", found.app_id)
    return {"app_id": found.app_id, "secret": secret}


async def find_people(services: Services, question: str) -> dict[str, Any]:
    """People by id, or by part of a name or mobile; `total` counts all that match. Nobody for an empty question."""
    if not question:
        return {"total": 0, "people": []}
    if question.isascii() and question.isdigit() and len(question) < len(str(2**63)):
        one = await services.database.query(directory.find, int(question))
        if one is not None:
            return {"total": 1, "people": [await _with_unread(services, one)]}
    total, found = await services.backends.shares.lists.query(
        directory.list_people, question, skip=0, limit=SHOWN
    )
    return {"total": total, "people": [_show_person(one) for one in found]}


async def _with_unread(services: Services, person: Person) -> dict[str, Any]:
    unread = await services.database.query(conversations.count_unread, person.id)
    return _show_person(person) | {"unread": unread}


def _show_person(person: Person) -> dict[str, Any]:
    return asdict(person) | {"id": str(person.id), "is_active": person.is_active}
