"""Events: facts on the bus, for the people connected now. A closed union; `storage/valkey/event_json.py` has the JSON.

An event names itself by `key`, so that a publish that is repeated (a worker died between publish and
delete) can be skipped by readers.
"""

from dataclasses import dataclass

from storage.model.message import Message


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message is in these people's histories.

    `recipients` has pairs of a peer and the users who have the message in their conversation with it. `content` is
    ready to show (media is presigned). `part` is the chunk number of a broadcast, else 0: each chunk is an event of
    its own. `origin` is the text of a `model.origin.Origin`.
    """

    message: Message
    content: str
    recipients: tuple[tuple[int, tuple[int, ...]], ...]
    part: int = 0
    origin: str = ""

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"n{self.message.id}.{self.part}"


@dataclass(frozen=True, slots=True)
class ConversationRead:
    """A person read a conversation up to `up_to_id`, on some device; `unread_count` are left."""

    user_id: int
    conversation_id: int
    up_to_id: int
    unread_count: int

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"r{self.user_id}.{self.conversation_id}.{self.up_to_id}.{self.unread_count}"


@dataclass(frozen=True, slots=True)
class AllRead:
    """A person read everything, on some device; `up_to_id` is the newest of it, `unread_count` are left."""

    user_id: int
    up_to_id: int
    unread_count: int

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"a{self.user_id}.{self.up_to_id}.{self.unread_count}"


@dataclass(frozen=True, slots=True)
class MessageRecalled:
    """A message is gone from these people's histories; `recipients` as in NewMessage."""

    message_id: int
    recipients: tuple[tuple[int, tuple[int, ...]], ...]
    part: int = 0

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"x{self.message_id}.{self.part}"

    @property
    def recalled_key(self) -> str:
        """The `key` of the NewMessage that this recall takes back."""
        return f"n{self.message_id}.{self.part}"


@dataclass(frozen=True, slots=True)
class MessageUpdated:
    """A card that these people have is in a new form (contract §8); fields as in NewMessage.

    It may be published more than once, and a later form before an earlier one: readers go by `message.version`.
    """

    message: Message
    content: str
    recipients: tuple[tuple[int, tuple[int, ...]], ...]
    part: int = 0

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"u{self.message.id}.{self.message.version}.{self.part}"

    @property
    def updated_key(self) -> str:
        """The `key` of the NewMessage whose message this is in a new form."""
        return f"n{self.message.id}.{self.part}"


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A person was disabled: every connection of theirs is to be closed."""

    user_id: int
    at_ms: int

    @property
    def key(self) -> str:
        """The event's name: the same each time it is published again."""
        return f"d{self.user_id}.{self.at_ms}"


Event = NewMessage | MessageUpdated | ConversationRead | AllRead | MessageRecalled | Disconnect
