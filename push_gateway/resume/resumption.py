"""What a client that resumes is given: the events that it missed, and from where on live ones follow.

Pure. `BusView.resume` makes a `Resumption`, the gateway writes it (contract §5, Resume).
"""

from dataclasses import dataclass

from storage.model.event import Event, MessageRecalled, NewMessage
from storage.valkey.bus_reader import Position


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event, and its position in its shard's stream."""

    position: Position
    event: Event


@dataclass(frozen=True, slots=True)
class Resumption:
    """What to give to a client that resumes."""

    missed: list[PastEvent] | None
    """What it missed, in order; None if that is not known, and the client has to read again over REST."""
    live_after: Position
    """Events after this position reach it live."""


def leave_out_recalled(missed: list[PastEvent]) -> list[PastEvent]:
    """The same events without messages that were recalled meanwhile, and without the recalls of those.

    The recall of a message from before stays: the client has that message on its screen.
    """
    messages = {past.event.key for past in missed if isinstance(past.event, NewMessage)}
    recalls = {
        past.event.recalled_key for past in missed if isinstance(past.event, MessageRecalled)
    }
    gone = messages & recalls
    return [past for past in missed if _message_key(past.event) not in gone] if gone else missed


def _message_key(event: Event) -> str:
    """The key of the message that an event brings or recalls; of other events their own key, which is no message's."""
    return event.recalled_key if isinstance(event, MessageRecalled) else event.key
