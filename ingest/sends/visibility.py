"""Who may know of a message by its id (contract §2): its sender, the app that sent it, who received it."""

from storage.model.caller import AppCaller, Caller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.model.message import Message
from storage.postgres.database import Database
from storage.postgres.messages import lookup
from storage.postgres.messages.lookup import FoundMessage


async def find_visible_message(
    database: Database, caller: Caller, *, message_id: int
) -> FoundMessage:
    """The message and how far it has come, if the caller may know of it.

    A person who receives it may while it is in their history: not before, and not after it was recalled.
    Raises NotFound, the same for a message of others and for none.
    """
    found = await database.query(lookup.find_message, message_id)
    if found is None or not await _is_visible(database, caller, found):
        raise NotFound("There is no such message.", code=ErrorCode.UNKNOWN_MESSAGE)
    return found


def has_sent(caller: Caller, message: Message) -> bool:
    """Whether the caller is the message's sender, or the app that sent it."""
    if isinstance(caller, AppCaller):
        return message.sent_by_app_id == caller.app.id
    return message.sender_id == caller.person.id


async def _is_visible(database: Database, caller: Caller, found: FoundMessage) -> bool:
    if has_sent(caller, found.message):
        return True
    if isinstance(caller, AppCaller):
        return False
    me = caller.person.id
    return await database.query(lookup.find_received, found.message.id, user_id=me) is not None
