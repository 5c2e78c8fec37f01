"""What a client that resumes is given: the events that it missed, and from where on live ones follow.

Pure. `BusView.resume` makes a `Resumption`, the gateway writes it (contract §5, Resume).
"""

from dataclasses import dataclass

from push_gateway.resume.newest_forms import put_in_form, version_of
from storage.model.event import Event, MessageRecalled, MessageUpdated, NewMessage
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


def leave_out_old(missed: list[PastEvent]) -> list[PastEvent]:
    """The same events without messages that were recalled meanwhile, and with each other one in its newest form alone.

    The recalls stay: a client may have such a message from before, or have read it over REST. A message is at its own
    place, in its newest form. A change of one from before is at the place of the newest: a client that is cut off
    before it is given it again.
    """
    gone = {past.event.recalled_key for past in missed if isinstance(past.event, MessageRecalled)}
    changes = _find_newest_changes(missed)
    if not gone and not changes:
        return missed
    messages = {past.event.key for past in missed if isinstance(past.event, NewMessage)}
    left: list[PastEvent] = []
    for past in missed:
        match past.event:
            case NewMessage(key=key) | MessageUpdated(updated_key=key) if key in gone:
                continue
            case NewMessage(key=key) as event if key in changes:
                left.append(PastEvent(past.position, _put_in_newest_form(event, changes[key])))
            case MessageUpdated(updated_key=key) as event:
                if key not in messages and event is changes[key]:
                    left.append(past)
            case _:
                left.append(past)
    return left


def _find_newest_changes(missed: list[PastEvent]) -> dict[str, MessageUpdated]:
    """For the key of each message that changed, its newest change."""
    newest: dict[str, MessageUpdated] = {}
    for past in missed:
        if isinstance(change := past.event, MessageUpdated):
            known = newest.setdefault(change.updated_key, change)
            if version_of(change.message) > version_of(known.message):
                newest[change.updated_key] = change
    return newest


def _put_in_newest_form(event: NewMessage, change: MessageUpdated) -> NewMessage:
    is_newest = version_of(event.message) >= version_of(change.message)
    return event if is_newest else put_in_form(event, change)
