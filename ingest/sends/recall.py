"""Who may take a message back, and how (contract §2): the rules, pure, and the way into the record."""

from datetime import datetime, timedelta

from ingest.services import Services
from storage.broker.queues import BROADCASTS, SENDS
from storage.model.caller import AppCaller, Caller
from storage.model.errors import NotAllowed, NotFound
from storage.model.message import Message
from storage.postgres.broadcasts import cancellation
from storage.postgres.broadcasts import recalls as broadcast_recalls
from storage.postgres.messages import lookup, recalls

_NO_SUCH = "There is no such message."


async def recall(services: Services, caller: Caller, *, message_id: int, now: datetime) -> Message:
    """Take the message back wherever it is on its way; the message as it was.

    Of one to one receiver nothing is left when this returns, and its people are told. A broadcast is
    taken back by the lanes, from now on; what was not expanded never is. Raises NotFound
    for who has no part in it, NotAllowed for who received it, or sent it too long ago.
    """
    message = await _found(services, caller, message_id)
    if isinstance(caller, AppCaller):
        judge_app(message, app_id=caller.app.id)
    else:
        limit = timedelta(hours=services.settings.recall_hours)
        judge_person(message, user_id=caller.person.id, age=now - message.created_at, limit=limit)
    if message.is_broadcast:
        await recall_broadcast(services, message_id)
    elif await services.database.query(recalls.recall, message):
        services.pipes.doorbell.ring(SENDS)
    return message


async def recall_broadcast(services: Services, broadcast_id: int) -> None:
    """Let the lanes take a broadcast back; whoever asks has been judged."""
    await services.database.transaction(broadcast_recalls.start_recall, broadcast_id)
    await services.database.transaction(cancellation.discard_waiting, broadcast_id)
    services.pipes.doorbell.ring(BROADCASTS)


def judge_app(message: Message, *, app_id: int) -> None:
    """Raise NotFound unless the app sent it; it may take it back at any time."""
    if message.sent_by_app_id != app_id:
        raise NotFound(_NO_SUCH)


def judge_person(message: Message, *, user_id: int, age: timedelta, limit: timedelta) -> None:
    """Raise NotAllowed unless the person, who may see it, is its sender, and it is not too old."""
    if user_id != message.sender_id:
        raise NotAllowed("Only its sender may take a message back.")
    if age > limit:
        hours = int(limit.total_seconds() // 3600)
        raise NotAllowed(f"A message can be taken back for {hours} hours.")


async def _found(services: Services, caller: Caller, message_id: int) -> Message:
    """The message, if the caller may know of it: people who did not send it must have it."""
    found = await services.database.query(lookup.find_message, message_id)
    if found is None:
        raise NotFound(_NO_SUCH)
    message = found.message
    if isinstance(caller, AppCaller) or message.sender_id == caller.person.id:
        return message
    me = caller.person.id
    if await services.database.query(lookup.find_received, message_id, user_id=me) is None:
        raise NotFound(_NO_SUCH)
    return message
