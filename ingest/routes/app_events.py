"""Events to apps, for those that ask for them (contract §9). Those with a URL are called by a worker."""

import asyncio
from datetime import timedelta

from starlette.types import Receive

from ingest.http.endpoint import API, APPS, endpoint
from ingest.http.response import Response
from ingest.models.app_event_responses import AppEventsAnswer
from ingest.models.requests import AppEventsWindow, Nothing
from ingest.services import Context, Services
from storage.model.app_event import AppEvent
from storage.model.caller import AppCaller
from storage.model.errors import OverLimit
from storage.postgres.app_events import pulling


@endpoint(
    "GET",
    f"{API}/apps/me/events",
    callers=APPS,
    params=AppEventsWindow,
    response=AppEventsAnswer,
    errors=(OverLimit,),
    takes_slot=False,
)
async def list_events(context: Context[AppCaller, AppEventsWindow, Nothing]) -> Response:
    """What became of what the calling app sent, in order.

    Asking for what comes after a number says that the app has everything up to it. Only what the operator asked for with
    `carillon app callback` is there.
    """
    services, asked = context.services, context.params
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + asked.wait
    events = await _pull(services, context.caller, asked)
    while not events and (left := ends_at - loop.time()) > 0:
        if not await _wait(context, timedelta(seconds=left)):
            break
        events = await _pull(services, context.caller, asked)
    return Response(services.presenter.present_events(events, after=asked.after))


ROUTES = (list_events,)


async def _pull(services: Services, caller: AppCaller, asked: AppEventsWindow) -> list[AppEvent]:
    async with services.slots.take(caller):
        return await services.database.transaction(
            pulling.pull_events, caller.app.id, after=asked.after, limit=asked.limit
        )


async def _wait(context: Context[AppCaller, AppEventsWindow, Nothing], within: timedelta) -> bool:
    """Wait for an event without a slot or a connection; False: the client is gone, and nobody waits."""
    waiter, app_id = context.services.app_event_waiter, context.caller.app.id
    waits = asyncio.create_task(
        waiter.wait_for_event(app_id, after=context.params.after, within=within)
    )
    leaves = asyncio.create_task(_wait_for_disconnect(context.receive))
    try:
        await asyncio.wait((waits, leaves), return_when=asyncio.FIRST_COMPLETED)
        if waits.done():
            waits.result()
        return not leaves.done()
    finally:
        for task in (waits, leaves):
            task.cancel()
        await asyncio.gather(waits, leaves, return_exceptions=True)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
