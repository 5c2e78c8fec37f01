"""The newest forms of one shard's messages that changed: an older one is never told after a newer one. Pure.

Publishers repeat events, and bring a later form before an earlier one (contract §8). Used by `shard_view.py`;
`resumption.py` shares what a form is.
"""

from dataclasses import replace
from typing import NamedTuple

from storage.model.event import MessageUpdated, NewMessage
from storage.model.message import FIRST_VERSION, Message
from storage.valkey.bus_reader import Entry
from storage.valkey.event_json import encode_event

# A publisher that brings an older form was held up for a lease, or tries again after minutes. What is forgotten by then
# is told in the form that comes, and clients go by its version (docs/decisions/0044-cards.md).
REMEMBERED_FORMS = 10_000
REMEMBERED_BYTES = 2 << 20  # of events in JSON, about what their forms take


class Form(NamedTuple):
    """A message as an event told it, with its `content` ready to show."""

    message: Message
    content: str


def version_of(message: Message) -> int:
    """The version of a message's form; that of one that never changed is the first."""
    return message.version or FIRST_VERSION


def put_in_form(event: NewMessage, form: Form | MessageUpdated) -> NewMessage:
    """The same event, for the same people, with its message in this form."""
    return replace(event, message=form.message, content=form.content)


class NewestForms:
    """For each message that changed, and each part of a broadcast, the newest form that was told.

    `key` is always that of the NewMessage. Messages that never change cost nothing here. Over a limit the form that was
    told longest ago is forgotten.
    """

    def __init__(self) -> None:
        self._forms: dict[str, tuple[Form, int]] = {}  # and the bytes that it counts
        self._bytes = 0

    def settle_message(
        self, key: str, entry: Entry, event: NewMessage, *, is_repeat: bool
    ) -> Entry | None:
        """What is to be told of a message; None if nothing is.

        One that comes after a newer form is told in that. One that was told before comes once more only if this form is
        newer, and then as a change.
        """
        known, version = self._find(key), version_of(event.message)
        is_newer = version > (FIRST_VERSION if known is None else version_of(known.message))
        if is_newer:
            self._remember(key, entry, event)
        if is_repeat:
            change = MessageUpdated(event.message, event.content, event.recipients, event.part)
            return _tell_instead(entry, change) if is_newer else None
        if known is not None and version_of(known.message) > version:
            return _tell_instead(entry, put_in_form(event, known))
        return entry

    def settle_change(self, key: str, entry: Entry, event: MessageUpdated) -> Entry | None:
        """What is to be told of a change; None if it is not newer than what was told."""
        known, version = self._find(key), version_of(event.message)
        if version <= (FIRST_VERSION if known is None else version_of(known.message)):
            return None
        self._remember(key, entry, event)
        return entry

    def forget(self, key: str) -> None:
        """Nothing of a message is told any more: it was recalled."""
        _, size = self._forms.pop(key, (None, 0))
        self._bytes -= size

    def _find(self, key: str) -> Form | None:
        known = self._forms.get(key)
        return None if known is None else known[0]

    def _remember(self, key: str, entry: Entry, event: NewMessage | MessageUpdated) -> None:
        self.forget(key)
        size = len(entry.payload)
        self._forms[key] = Form(event.message, event.content), size
        self._bytes += size
        while len(self._forms) > REMEMBERED_FORMS or self._bytes > REMEMBERED_BYTES:
            self.forget(next(iter(self._forms)))


def _tell_instead(entry: Entry, event: NewMessage | MessageUpdated) -> Entry:
    """An entry at the same position, with another event for the same people."""
    payload = dict(encode_event(event))[entry.shard]
    return Entry(entry.shard, entry.position, payload, event)
