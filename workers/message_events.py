"""The events of messages: what connected clients are shown. Made by the persist lane and the broadcast lanes.

Knows nothing of the bus, nor of what becomes of a message whose event cannot be made.
"""

from storage.media.store import MediaStore
from storage.model.conversation import make_deliveries
from storage.model.errors import PermanentError, describe_error
from storage.model.event import NewMessage
from storage.model.message import MEDIA_TYPES, Message, PersistedMessage, is_understood

Recipients = tuple[tuple[int, tuple[int, ...]], ...]


def make_event(
    persisted: PersistedMessage, media: MediaStore, *, recipients: Recipients, part: int = 0
) -> NewMessage:
    """The event that tells `recipients` of a message; `recipients` and `part` as in NewMessage.

    Raises PermanentError if it cannot be made now, whatever the reason: a store without credentials, a type of a newer
    version, a defect of ours. It concerns this message alone, so it must not look like a bus that is away.
    """
    try:
        _check_is_understood(persisted.message)
        content = resolve_content(persisted.message, media)
        return NewMessage(
            persisted.message, content, recipients=recipients, part=part, origin=persisted.origin
        )
    except Exception as error:
        raise PermanentError(describe_error(error)) from error


def make_event_for_copies(persisted: PersistedMessage, media: MediaStore) -> NewMessage:
    """The event of a message that is no broadcast, for everyone who has a copy; raises as `make_event`."""
    recipients = tuple(
        (copy.peer_id, (copy.user_id,)) for copy in make_deliveries(persisted.message)
    )
    return make_event(persisted, media, recipients=recipients)


def resolve_content(message: Message, media: MediaStore) -> str:
    """The content as clients get it: text as it is, and for an object key a URL that shows the object (contract §4)."""
    if message.content_type in MEDIA_TYPES:
        return media.url(message.content, filename=message.filename or "")
    return message.content


def _check_is_understood(message: Message) -> None:
    if not is_understood(message):
        raise PermanentError(
            f"This version does not know messages of type {message.type}/{message.content_type}."
        )
