"""What a client that resumes is given: the events that it missed, and from where on live ones follow.

Pure. `BusView.resume` makes a `Resumption`, the gateway writes it (contract §5, Resume).
"""

from dataclasses import dataclass

from storage.model.event import Event, MessageRecalled
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
    known: Position | None
    """Up to here it knows everything that concerns it; None exactly if `missed` is."""
    live_after: Position
    """Events after this position reach it live."""


def leave_out_recalled(missed: list[PastEvent]) -> list[PastEvent]:
    """The same events without messages that were recalled meanwhile.

    The recalls stay: a client may have such a message from before, or have read it over REST.
    """
    gone = {past.event.recalled_key for past in missed if isinstance(past.event, MessageRecalled)}
    return [past for past in missed if past.event.key not in gone] if gone else missed
