"""How far broadcasts have come, and stopping them (contract §3). They are sent like any message."""

from ingest.http.endpoint import API, APPS, Call, endpoint
from ingest.http.response import Answer
from ingest.models.requests import BroadcastWindow, Nothing, OneBroadcast, UnreadWindow
from ingest.models.responses import BroadcastAnswer, BroadcastLine, UnreadAnswer
from ingest.sends import audience
from ingest.services import Services
from storage.model.broadcast import BroadcastReport
from storage.model.caller import AppCaller
from storage.model.errors import NotFound, OverLimit
from storage.postgres.broadcasts import expansion
from storage.postgres.broadcasts import reports as broadcast_reports


@endpoint(
    "GET",
    f"{API}/broadcasts",
    callers=APPS,
    params=BroadcastWindow,
    answer=list[BroadcastLine],
    errors=(OverLimit,),
    takes_turn=False,
)
async def list_broadcasts(call: Call[AppCaller, BroadcastWindow, Nothing]) -> Answer:
    """The calling app's broadcasts, the last accepted first, also those that are not due yet."""
    services, window = call.services, call.params
    async with services.lists.turn(call.caller) as database:
        reports = await database.ask(
            broadcast_reports.listing,
            call.caller.app.id,
            limit=window.limit,
            before_id=window.before_id,
            status=window.status,
        )
    return Answer([services.display.broadcast_line(report) for report in reports])


@endpoint(
    "GET",
    f"{API}/broadcasts/{{broadcast_id}}",
    callers=APPS,
    params=OneBroadcast,
    answer=BroadcastAnswer,
    errors=(NotFound, OverLimit),
    takes_turn=False,
)
async def get_broadcast(call: Call[AppCaller, OneBroadcast, Nothing]) -> Answer:
    """How far a broadcast has come, to the app that sent it."""
    services = call.services
    async with services.lists.turn(call.caller) as database:
        report = await audience.report(
            database, call.params.broadcast_id, app_id=call.caller.app.id
        )
    return Answer(services.display.broadcast(_found(report)))


@endpoint(
    "GET",
    f"{API}/broadcasts/{{broadcast_id}}/unread",
    callers=APPS,
    params=UnreadWindow,
    answer=UnreadAnswer,
    errors=(NotFound, OverLimit),
    takes_turn=False,
)
async def list_unread(call: Call[AppCaller, UnreadWindow, Nothing]) -> Answer:
    """Who has the broadcast and has not read it, by user id; go on after the last of a page."""
    services, window = call.services, call.params
    await _check(services, window.broadcast_id, app_id=call.caller.app.id)
    async with services.lists.turn(call.caller) as database:
        people = await audience.unread(
            database,
            window.broadcast_id,
            after_user_id=window.after_user_id,
            limit=window.limit,
        )
    return Answer(services.display.unread(people))


@endpoint(
    "POST",
    f"{API}/broadcasts/{{broadcast_id}}/cancel",
    callers=APPS,
    params=OneBroadcast,
    answer=BroadcastAnswer,
    errors=(NotFound,),
)
async def cancel_broadcast(call: Call[AppCaller, OneBroadcast, Nothing]) -> Answer:
    """Stop a broadcast: what is not expanded when this answers never will be.

    What was delivered stays. One that has come to rest stays as it is: the status tells.
    """
    services, id, app_id = call.services, call.params.broadcast_id, call.caller.app.id
    await _check(services, id, app_id=app_id)
    await services.database.run(expansion.stop, id)
    await services.database.run(expansion.discard, id)
    report = await services.database.ask(broadcast_reports.report, id, app_id=app_id)
    return Answer(services.display.broadcast(_found(report)))


ROUTES = (list_broadcasts, get_broadcast, list_unread, cancel_broadcast)


async def _check(services: Services, broadcast_id: int, *, app_id: int) -> None:
    """Raises NotFound unless the app sent it."""
    _found(await services.database.ask(broadcast_reports.report, broadcast_id, app_id=app_id))


def _found(report: BroadcastReport | None) -> BroadcastReport:
    if report is None:
        raise NotFound("There is no such broadcast.")
    return report
