"""Sending, and asking after what was sent (contract §2)."""

from datetime import UTC, datetime, timedelta

from ingest.http.endpoint import (
    API,
    APPS,
    PEOPLE,
    PEOPLE_AND_APPS,
    HeaderNote,
    endpoint,
)
from ingest.http.request_headers import idempotency_key, wait_of
from ingest.http.response import Header, Response
from ingest.identity.single_sign_on import callback_to, open_app
from ingest.models.requests import BatchBody, Nothing, OneMessage, SendBody
from ingest.models.responses import BatchAnswer, CallbackUrl, MessageAnswer, MessageWithStatus
from ingest.sends import batch
from ingest.sends.recall import recall
from ingest.services import Context, Services
from storage.model.action_link import parse_jump_link
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.errors import CallerError, NotAllowed, NotFound, OverLimit, invalid
from storage.model.send import Accepted
from storage.postgres.messages import lookup
from storage.postgres.messages.lookup import FoundMessage
from storage.postgres.sends.intake import IntakeItem
from storage.valkey.rate_limits import Quota

KEY = HeaderNote(
    "Idempotency-Key", "Two requests with one key and one body are one send, for 24 h."
)
WAIT = HeaderNote("Prefer", "`wait=<seconds>`, up to 10: answer when it is in the histories.")
REPLAY = HeaderNote("Idempotency-Replay", "true: the first answer again; nothing was sent.")
APPLIED = HeaderNote("Preference-Applied", "The wait, if the message is in the histories.")
LOCATION = HeaderNote("Location", "Of a broadcast: where its progress is.")


@endpoint(
    "POST",
    f"{API}/messages/",
    callers=PEOPLE_AND_APPS,
    body=SendBody,
    answer=MessageAnswer,
    errors=(NotAllowed, NotFound, OverLimit),
    asks=(KEY, WAIT),
    tells=(REPLAY, APPLIED, LOCATION),
    is_bulk=True,
    takes_turn=False,
)
async def send_message(context: Context[Caller, Nothing, SendBody]) -> Response:
    """Send a message, a notification or a broadcast.

    With 200 it is on durable storage and will be delivered exactly once.
    """
    services, wait = context.services, wait_of(context.headers)
    judged, caller = await _judged(context), context.caller
    # Thousands may wait for their commit: each with its request alone, not with the body it came in.
    del context
    accepted = await services.intake.accept(judged) if isinstance(judged, IntakeItem) else judged
    if accepted.is_replay and isinstance(judged, IntakeItem):
        await services.pipes.limits.give_back(*_quota(caller))
    headers = _kind_headers(accepted)
    if wait:
        headers += await _waited(services, accepted, wait)
    return Response(services.display.accepted(accepted), headers=headers)


@endpoint(
    "POST",
    f"{API}/messages/batch",
    callers=APPS,
    body=BatchBody,
    answer=BatchAnswer,
    errors=(OverLimit,),
    asks=(KEY,),
    tells=(REPLAY,),
    is_bulk=True,
    takes_turn=False,
)
async def send_batch(context: Context[AppCaller, Nothing, BatchBody]) -> Response:
    """Send up to 500 messages; each succeeds or fails alone, in the order given."""
    key = await idempotency_key(
        context.headers, caller=context.caller, body=context.raw, of="batch"
    )
    sent = await batch.send(
        context.services,
        context.caller,
        entries=context.body.messages,
        key=key,
        origin=context.origin,
    )
    headers = [("Idempotency-Replay", "true")] if sent.is_replay else []
    return Response(BatchAnswer(sent.results), headers=headers)


@endpoint(
    "GET",
    f"{API}/messages/{{message_id}}",
    callers=PEOPLE_AND_APPS,
    params=OneMessage,
    answer=MessageWithStatus,
    errors=(NotFound,),
)
async def get_message(context: Context[Caller, OneMessage, Nothing]) -> Response:
    """Show a message and how far it has come, to its sender and the app that sent it.

    To its receiver while it is in their history.
    """
    services = context.services
    found = await services.database.query(lookup.find_message, context.params.message_id)
    if found is None or not await _may_see(context, found):
        raise NotFound("There is no such message.")
    shown = services.display.message(found.message, read_at=found.read_at)
    return Response(services.display.with_status(shown, found.status))


@endpoint(
    "GET",
    f"{API}/messages/{{message_id}}/callback-url",
    callers=PEOPLE,
    params=OneMessage,
    answer=CallbackUrl,
    errors=(NotFound,),
)
async def get_callback_url(context: Context[UserCaller, OneMessage, Nothing]) -> Response:
    """Where the button of a received message leads, with a fresh sign-on ticket."""
    services, me = context.services, context.caller.person.id
    message = await services.database.query(
        lookup.find_received, context.params.message_id, user_id=me
    )
    if message is None:
        raise NotFound("There is no such message.")
    link = parse_jump_link(message.action_url or "")
    if link is None:
        raise invalid("message_id", "The message has no button that signs on.", where="path")
    app = await open_app(services.lookups, link.app_id)
    tickets = services.pipes.tickets
    return Response(
        CallbackUrl(await callback_to(app, link.target_url, user_id=me, tickets=tickets))
    )


@endpoint(
    "DELETE",
    f"{API}/messages/{{message_id}}",
    callers=PEOPLE_AND_APPS,
    params=OneMessage,
    status=204,
    also=(202,),
    errors=(NotAllowed, NotFound),
    tells=(LOCATION,),
)
async def recall_message(context: Context[Caller, OneMessage, Nothing]) -> Response:
    """Take a message back: its sender for a day, the app that sent it at any time.

    It is gone from every history (204); of a broadcast it will be, chunk by chunk (202).
    """
    message_id = context.params.message_id
    message = await recall(
        context.services, context.caller, message_id=message_id, now=datetime.now(UTC)
    )
    if message.is_broadcast:
        return Response(status=202, headers=[("Location", f"{API}/broadcasts/{message_id}")])
    return Response(status=204)


ROUTES = (send_message, send_batch, get_message, recall_message, get_callback_url)


async def _judged(context: Context[Caller, Nothing, SendBody]) -> IntakeItem | Accepted:
    """What is to be accepted; or what was, for a retry that would be refused today."""
    services, caller, headers = context.services, context.caller, context.headers
    key = None
    if b"idempotency-key" in headers:
        key = await idempotency_key(headers, caller=caller, body=context.raw)
    try:
        # A person's refused sends count as well; an app's quota is of messages.
        if isinstance(caller, UserCaller):
            await services.pipes.limits.take(Quota.PERSON_SENDS, caller.person.id)
        send = await services.judge.judge(context.body, caller)
        if isinstance(caller, AppCaller):
            await services.pipes.limits.take(Quota.APP_SENDS, caller.app.id)
    except (CallerError, OverLimit) as error:
        # Judged by what is there now, but a retry gets the answer of then (contract §2).
        first = await services.intake.accept_again(key) if key else None
        if first is None:
            raise
        if isinstance(caller, UserCaller) and not isinstance(error, OverLimit):
            await services.pipes.limits.give_back(*_quota(caller))
        return first
    return IntakeItem(send, key, context.origin)


def _quota(caller: Caller) -> tuple[Quota, int]:
    if isinstance(caller, AppCaller):
        return Quota.APP_SENDS, caller.app.id
    return Quota.PERSON_SENDS, caller.person.id


def _kind_headers(accepted: Accepted) -> list[Header]:
    replay = [("Idempotency-Replay", "true")] if accepted.is_replay else []
    if accepted.send.is_broadcast:
        return [*replay, ("Location", f"{API}/broadcasts/{accepted.id}")]
    return replay


async def _waited(services: Services, accepted: Accepted, wait: timedelta) -> list[Header]:
    """Waits as the caller prefers; the preference was applied if the message arrived in time."""
    if accepted.send.send_at is not None:
        return []
    is_broadcast = accepted.send.is_broadcast
    if not await services.watch.delivered(accepted.id, is_broadcast=is_broadcast, within=wait):
        return []
    return [("Preference-Applied", f"wait={int(wait.total_seconds())}")]


async def _may_see(context: Context[Caller, OneMessage, Nothing], found: FoundMessage) -> bool:
    """Who sent it always; who receives it while it is in their history: not before, nor once recalled."""
    message = found.message
    if isinstance(context.caller, AppCaller):
        return message.sent_by_app_id == context.caller.app.id
    me = context.caller.person.id
    if me == message.sender_id:
        return True
    received = await context.services.database.query(lookup.find_received, message.id, user_id=me)
    return received is not None
