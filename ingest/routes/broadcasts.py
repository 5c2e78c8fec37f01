"""How far broadcasts have come, and stopping them (contract §3). They are sent like any message."""

from ingest.http.endpoint import API, APPS, endpoint
from ingest.http.response import Response
from ingest.models.broadcast_responses import (
    BroadcastAnswer,
    BroadcastLine,
    BroadcastPreviewAnswer,
    UnreadAnswer,
)
from ingest.models.requests import (
    BroadcastWindow,
    Nothing,
    OneBroadcast,
    SendBody,
    UnreadWindow,
)
from ingest.sends import broadcast_progress
from ingest.sends.ineffective_fields import find_ineffective_fields
from ingest.services import Context, Services
from storage.model.broadcast import BroadcastReport
from storage.model.caller import AppCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed, NotFound, OverLimit
from storage.postgres.broadcasts import cancellation
from storage.postgres.broadcasts import reports as broadcast_reports


@endpoint(
    "GET",
    f"{API}/broadcasts",
    callers=APPS,
    params=BroadcastWindow,
    response=list[BroadcastLine],
    errors=(OverLimit,),
    takes_slot=False,
)
async def list_broadcasts(context: Context[AppCaller, BroadcastWindow, Nothing]) -> Response:
    """The calling app's broadcasts, the last accepted first, also those that are not due yet."""
    services, window = context.services, context.params
    async with services.list_slots.take(context.caller) as database:
        reports = await database.query(
            broadcast_reports.list_reports,
            context.caller.app.id,
            limit=window.limit,
            before_id=window.before_id,
            status=window.status,
        )
    return Response([services.presenter.present_broadcast_line(report) for report in reports])


@endpoint(
    "POST",
    f"{API}/broadcasts/preview",
    callers=APPS,
    body=SendBody,
    response=BroadcastPreviewAnswer,
    errors=(NotAllowed, NotFound, OverLimit),
    is_bulk=True,
    takes_slot=False,
    find_ignored=find_ineffective_fields,
)
async def preview_broadcast(context: Context[AppCaller, Nothing, SendBody]) -> Response:
    """Say how many people a broadcast would be for, by the same body and rules; nothing is sent.

    The figures are those of a broadcast that would be accepted now.
    """
    preview = await context.services.previewer.preview(context.body, context.caller)
    return Response(BroadcastPreviewAnswer(preview.total, list(preview.unresolved)))


@endpoint(
    "GET",
    f"{API}/broadcasts/{{broadcast_id}}",
    callers=APPS,
    params=OneBroadcast,
    response=BroadcastAnswer,
    errors=(NotFound, OverLimit),
    takes_slot=False,
)
async def get_broadcast(context: Context[AppCaller, OneBroadcast, Nothing]) -> Response:
    """How far a broadcast has come, to the app that sent it."""
    services = context.services
    async with services.list_slots.take(context.caller) as database:
        report = await broadcast_progress.find_report(
            database, context.params.broadcast_id, app_id=context.caller.app.id
        )
    return Response(services.presenter.present_broadcast(_require(report)))


@endpoint(
    "GET",
    f"{API}/broadcasts/{{broadcast_id}}/unread",
    callers=APPS,
    params=UnreadWindow,
    response=UnreadAnswer,
    errors=(NotFound, OverLimit),
    takes_slot=False,
)
async def list_unread(context: Context[AppCaller, UnreadWindow, Nothing]) -> Response:
    """List the people who have the broadcast and have not read it, by user id; go on after the last of a page."""
    services, window = context.services, context.params
    await _check_is_own(services, window.broadcast_id, app_id=context.caller.app.id)
    async with services.list_slots.take(context.caller) as database:
        people = await broadcast_progress.list_unread(
            database,
            window.broadcast_id,
            after_user_id=window.after_user_id,
            limit=window.limit,
        )
    return Response(services.presenter.present_unread(people))


@endpoint(
    "POST",
    f"{API}/broadcasts/{{broadcast_id}}/cancel",
    callers=APPS,
    params=OneBroadcast,
    response=BroadcastAnswer,
    errors=(NotFound,),
)
async def cancel_broadcast(context: Context[AppCaller, OneBroadcast, Nothing]) -> Response:
    """Stop a broadcast: what is not expanded when this answers never will be.

    What was delivered stays. One that has come to rest stays as it is: the status tells.
    """
    services, id, app_id = context.services, context.params.broadcast_id, context.caller.app.id
    await _check_is_own(services, id, app_id=app_id)
    await services.database.transaction(cancellation.cancel, id)
    await services.database.transaction(cancellation.discard_waiting, id)
    report = await services.database.query(broadcast_reports.find_report, id, app_id=app_id)
    return Response(services.presenter.present_broadcast(_require(report)))


ROUTES = (list_broadcasts, preview_broadcast, get_broadcast, list_unread, cancel_broadcast)


async def _check_is_own(services: Services, broadcast_id: int, *, app_id: int) -> None:
    """Raise NotFound unless this app sent the broadcast."""
    _require(
        await services.database.query(broadcast_reports.find_report, broadcast_id, app_id=app_id)
    )


def _require(report: BroadcastReport | None) -> BroadcastReport:
    if report is None:
        raise NotFound("There is no such broadcast.", code=ErrorCode.UNKNOWN_BROADCAST)
    return report
