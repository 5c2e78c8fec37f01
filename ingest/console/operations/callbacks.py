"""Apps' endpoints, to which events are pushed: list them, try one, call one again, tell it again what it had."""

from typing import Annotated, Any

from pydantic import Field

from ingest.console.operations import show_instant
from ingest.console.visit import Visit
from ingest.models.requests import RequestModel
from storage.broker.queues import CALLBACKS
from storage.postgres.acts import endpoints as acts
from storage.postgres.app_events.endpoint_lines import EndpointLine, list_endpoints


class ReplayBody(RequestModel):
    """From which event on: its number."""

    seq: Annotated[int, Field(ge=1, lt=2**53)]


async def list_callbacks(visit: Visit) -> list[dict[str, Any]]:
    """Every app that asked for events; those whose endpoint is stopped or fails first."""
    return [_show(one) for one in await visit.services.database.query(list_endpoints)]


def _show(one: EndpointLine) -> dict[str, Any]:
    return {
        "id": one.id,
        "app_id": one.app_id,
        "is_active": one.is_active,
        "url": one.url,
        "events": list(one.events),
        "status": one.status,
        "failures": one.failures,
        "last_error": one.last_error,
        "next_try_at": show_instant(one.next_try_at),
        "taken_up_to": one.taken_up_to,
        "waiting": one.waiting,
        "oldest_at": show_instant(one.oldest_at),
    }


async def resume(visit: Visit) -> dict[str, Any]:
    """Call an app's endpoint again at once, whatever stopped it. Raises NotFound, Invalid."""
    await visit.services.database.transaction(acts.resume, visit.actor, id=visit.id)
    visit.services.backends.doorbell.ring(CALLBACKS)
    return {}


async def test(visit: Visit) -> dict[str, Any]:
    """Push a test to an app's endpoint, in its turn. Raises NotFound, and Invalid if the endpoint is stopped."""
    await visit.services.database.transaction(acts.write_test, visit.actor, id=visit.id)
    visit.services.backends.doorbell.ring(CALLBACKS)
    return {}


async def replay(visit: Visit) -> dict[str, Any]:
    """Tell an app again all from a number on; the answer says how many events that is. Raises NotFound, Invalid."""
    body = await visit.read_body(ReplayBody)
    count = await visit.services.database.transaction(
        acts.replay, visit.actor, id=visit.id, seq=body.seq
    )
    visit.services.backends.doorbell.ring(CALLBACKS)
    return {"events": count}
