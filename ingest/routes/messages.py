"""Sending, and asking after what was sent (contract §2)."""

from datetime import timedelta

from ingest.http.endpoint import (
    API,
    APPS,
    PEOPLE,
    PEOPLE_AND_APPS,
    HeaderNote,
    endpoint,
)
from ingest.http.request_headers import parse_idempotency_key, parse_wait
from ingest.http.response import Header, Response
from ingest.identity.single_sign_on import find_active_app, issue_callback_url
from ingest.models.requests import BatchBody, Nothing, OneMessage, SendBody
from ingest.models.responses import (
    BatchAnswer,
    CallbackUrl,
    EntrySent,
    MessageAnswer,
    MessageWithStatus,
)
from ingest.sends.delivery_wait import DeliveryWaiter
from ingest.sends.ineffective_fields import find_ineffective_fields
from ingest.sends.visibility import find_visible_message, has_sent
from ingest.services import Context
from storage.model.action_link import parse_jump_link
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed, NotFound, OverLimit, invalid
from storage.model.send import Accepted
from storage.postgres.messages import lookup

KEY = HeaderNote(
    "Idempotency-Key", "Two requests with one key and one body are one send, for 24 h."
)
WAIT = HeaderNote(
    "Prefer",
    "`wait=<seconds>`, up to 10: answer when it is in the histories. `handling=strict`: refuse what would be ignored.",
)
REPLAY = HeaderNote("Idempotency-Replay", "The first answer again; nothing was sent.", "true")
APPLIED = HeaderNote(
    "Preference-Applied",
    "The wait, if the message is in the histories; `handling=strict`, if that was asked for.",
    "wait=10",
)
LOCATION = HeaderNote(
    "Location", "Of a broadcast: where its progress is.", f"{API}/broadcasts/117128467173376"
)


@endpoint(
    "POST",
    f"{API}/messages/",
    callers=PEOPLE_AND_APPS,
    body=SendBody,
    response=MessageAnswer,
    errors=(NotAllowed, NotFound, OverLimit),
    request_headers=(KEY, WAIT),
    response_headers=(REPLAY, APPLIED, LOCATION),
    is_bulk=True,
    takes_slot=False,
    find_ignored=find_ineffective_fields,
)
async def send_message(context: Context[Caller, Nothing, SendBody]) -> Response:
    """Send a message, a notification or a broadcast.

    With 200 it is on durable storage and will be delivered exactly once.
    """
    services, wait = context.services, parse_wait(context.headers)
    key = None
    if b"idempotency-key" in context.headers:
        key = await parse_idempotency_key(context.headers, caller=context.caller, body=context.raw)
    accepted = await services.sender.send(
        context.body, context.caller, key=key, origin=context.origin
    )
    headers = _describe(accepted)
    if wait:
        headers += await _wait_for_delivery(services.delivery_waiter, accepted, wait)
    return Response(services.presenter.present_accepted(accepted), headers=headers)


@endpoint(
    "POST",
    f"{API}/messages/batch",
    callers=APPS,
    body=BatchBody,
    response=BatchAnswer,
    errors=(OverLimit,),
    request_headers=(KEY,),
    response_headers=(REPLAY,),
    is_bulk=True,
    takes_slot=False,
)
async def send_batch(context: Context[AppCaller, Nothing, BatchBody]) -> Response:
    """Send up to 500 messages; each succeeds or fails alone, in the order given."""
    key = await parse_idempotency_key(
        context.headers, caller=context.caller, body=context.raw, of="batch"
    )
    services = context.services
    batch = await services.batch_sender.send(
        context.body.messages,
        context.caller,
        key=key,
        origin=context.origin,
        is_strict=context.is_strict,
    )
    results = [
        EntrySent(200, services.presenter.present_accepted(one))
        if isinstance(one, Accepted)
        else one
        for one in batch.results
    ]
    headers = [("Idempotency-Replay", "true")] if batch.is_replay else []
    return Response(BatchAnswer(results), headers=headers)


@endpoint(
    "GET",
    f"{API}/messages/{{message_id}}",
    callers=PEOPLE_AND_APPS,
    params=OneMessage,
    response=MessageWithStatus,
    errors=(NotFound,),
)
async def get_message(context: Context[Caller, OneMessage, Nothing]) -> Response:
    """Show a message and how far it has come, to its sender and the app that sent it.

    To its receiver while it is in their history.
    """
    services = context.services
    found = await find_visible_message(
        services.database, context.caller, message_id=context.params.message_id
    )
    shown = services.presenter.present_message(
        found.message,
        read_at=found.read_at,
        is_callers=has_sent(context.caller, found.message),
    )
    return Response(services.presenter.add_status(shown, found.status))


@endpoint(
    "GET",
    f"{API}/messages/{{message_id}}/callback-url",
    callers=PEOPLE,
    params=OneMessage,
    response=CallbackUrl,
    errors=(NotFound,),
)
async def get_callback_url(context: Context[UserCaller, OneMessage, Nothing]) -> Response:
    """Where the button of a received message leads, with a fresh sign-on ticket."""
    services, me = context.services, context.caller.person.id
    message = await services.database.query(
        lookup.find_received, context.params.message_id, user_id=me
    )
    if message is None:
        raise NotFound("There is no such message.", code=ErrorCode.UNKNOWN_MESSAGE)
    link = parse_jump_link(message.action_url or "")
    if link is None:
        raise invalid(
            "message_id",
            "The message has no button that signs on.",
            where="path",
            code=ErrorCode.NO_BUTTON,
        )
    app = await find_active_app(services.lookups, link.app_id)
    tickets = services.backends.tickets
    return Response(
        CallbackUrl(await issue_callback_url(app, link.target_url, user_id=me, tickets=tickets))
    )


@endpoint(
    "DELETE",
    f"{API}/messages/{{message_id}}",
    callers=PEOPLE_AND_APPS,
    params=OneMessage,
    status=204,
    other_statuses=(202,),
    errors=(NotAllowed, NotFound),
    response_headers=(LOCATION,),
)
async def recall_message(context: Context[Caller, OneMessage, Nothing]) -> Response:
    """Take a message back: its sender for a day, the app that sent it at any time.

    It is gone from every history (204); of a broadcast it will be, chunk by chunk (202).
    """
    message_id = context.params.message_id
    message = await context.services.recaller.recall(context.caller, message_id=message_id)
    if message.is_broadcast:
        return Response(status=202, headers=[("Location", f"{API}/broadcasts/{message_id}")])
    return Response(status=204)


ROUTES = (send_message, send_batch, get_message, recall_message, get_callback_url)


def _describe(accepted: Accepted) -> list[Header]:
    replay = [("Idempotency-Replay", "true")] if accepted.is_replay else []
    if accepted.send.is_broadcast:
        return [*replay, ("Location", f"{API}/broadcasts/{accepted.id}")]
    return replay


async def _wait_for_delivery(
    waiter: DeliveryWaiter, accepted: Accepted, within: timedelta
) -> list[Header]:
    """Wait as the caller prefers; the preference was applied if the message arrived in time."""
    if accepted.send.send_at is not None:
        return []
    is_broadcast = accepted.send.is_broadcast
    if not await waiter.wait_until_delivered(accepted.id, is_broadcast=is_broadcast, within=within):
        return []
    return [("Preference-Applied", f"wait={int(within.total_seconds())}")]
