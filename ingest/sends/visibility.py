"""Who may know of a message by its id (contract §2): its sender, the app that sent it, who received it."""

from storage.model.caller import AppCaller, Caller
from storage.model.errors import NotFound
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
        raise NotFound("There is no such message.")
    return found


async def _is_visible(database: Database, caller: Caller, found: FoundMessage) -> bool:
    message = found.message
    if isinstance(caller, AppCaller):
        return message.sent_by_app_id == caller.app.id
    me = caller.person.id
    if message.sender_id == me:
        return True
    return await database.query(lookup.find_received, message.id, user_id=me) is not None
