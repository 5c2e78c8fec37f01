"""What the server answers, as frozen dataclasses.

Each has `raw`, the JSON as it came, with fields that a newer server has and this package does not know. Times are aware,
in UTC.
"""

from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Self

from carillon_client.errors import CarillonError, NotCarillonError


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base of all results."""

    raw: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        """Read the JSON of an answer or a frame. Raises NotCarillonError if it lacks a field."""
        if not isinstance(raw, dict):
            raise NotCarillonError(f"The answer is no {cls.__name__}.", code="NOT_CARILLON")
        known: dict[str, Any] = {}
        for one in fields(cls):
            source = f"{one.name}_ms" if one.name.endswith("_at") else one.name
            if source in raw:
                value = raw[source]
                known[one.name] = _read_instant(value) if one.name.endswith("_at") else value
            elif one.default is MISSING is one.default_factory and one.name != "raw":
                raise NotCarillonError(f"The answer has no {source}.", code="NOT_CARILLON")
        return cls(**known | {"raw": raw})


@dataclass(frozen=True, kw_only=True)
class Message(Result):
    """A message as its sender or receiver sees it.

    `app_id` is the app's number, None from person to person; `receiver_id` is None for a broadcast. `content` is text, or
    the JSON text of an object; of pictures and files it is a URL. `is_read` of a message that the caller sent says whether
    the other side has read it. `status` is given by `get_message` only.

    Of a card: `ref` is the app's own name for the matter, `state` how far it has come (`PENDING`, `DONE`, `REJECTED` or
    `CLOSED`), `state_text` the same in the app's words, and `version` is 1 at first and one higher with each change.
    """

    id: int
    sender_id: int | None
    receiver_id: int | None
    app_id: int | None
    app_name: str | None
    type: str
    content_type: str
    title: str
    content: str
    filename: str | None
    action_url: str | None
    action_text: str | None
    is_read: bool
    created_at: datetime
    read_at: datetime | None
    client_ref: str | None
    state: str | None = None
    state_text: str | None = None
    ref: str | None = None
    version: int = 1
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class Conversation(Result):
    """A line of the conversation list. `user_id`: above 0 that person, below 0 minus an app's number, 0 the system."""

    user_id: int
    username: str
    full_name: str
    unread_count: int
    last_message: str
    last_message_type: str
    updated_at: datetime
    is_system: bool
    app_id: int | None
    app_name: str | None


@dataclass(frozen=True, kw_only=True)
class BroadcastReport(Result):
    """How far a broadcast has come: `expanded` of `total` people have it, `read` have read it (up to a minute old).

    `failed_chunks` above 0: a part fails for now and is tried again. `held`: an operator has stopped it for now.
    `unresolved`: names in its audience that nobody has; empty in a list.
    """

    id: int
    status: str
    total: int
    expanded: int
    failed_chunks: int
    last_error: str | None
    held: bool
    recalled: int
    read: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rate_per_second: float | None
    unresolved: list[str] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """Whether it has come to rest: `DONE`, `CANCELLED`, `FAILED` or `RECALLED`."""
        return self.status not in {"SCHEDULED", "PENDING", "EXPANDING", "RECALLING"}


@dataclass(frozen=True, kw_only=True)
class BroadcastPreview(Result):
    """What a broadcast would be if it were sent now: for how many people, and the names in its audience that nobody has."""

    total: int
    unresolved: list[str]


@dataclass(frozen=True, kw_only=True)
class UnreadPerson(Result):
    """A person who has not read a broadcast. `app_user_id`: the app's name for them, None if it has none."""

    user_id: int
    app_user_id: str | None
    name: str


@dataclass(frozen=True, kw_only=True)
class VerifiedPerson(Result):
    """The person whose ticket it was. `app_user_id` and `mapped_email` are None if they have no account in the app."""

    user_id: int
    app_user_id: str | None
    mapped_email: str | None
    name: str


@dataclass(frozen=True, kw_only=True)
class Person(Result):
    """A person, as a search finds them."""

    id: int
    mobile: str
    name: str
    english_name: str
    status: str


@dataclass(frozen=True, kw_only=True)
class AppAccount(Result):
    """An app of the launchpad, and the person's account in it."""

    app_name: str
    app_id: str
    protocol_type: str
    mapped_key: str | None
    mapped_email: str | None
    is_active: bool
    description: str
    category_id: int | None
    category_name: str | None


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """What to send: `key` as `content`, with `content_type` `IMAGE`, `VIDEO` or `FILE`."""

    key: str
    content_type: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of entry `index` of a batch: a `message` if it was sent, an `error` if it was refused."""

    index: int
    message: Message | None = None
    error: CarillonError | None = None


def _read_instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True, kw_only=True)
class AppEvent(Result):
    """What became of something that the app sent. Pass over a `type` that you do not know.

    `seq` rises, with gaps: keep that of the last one that you have dealt with. `data` names ids; instants in it are in
    fields named `<name>_ms`, Unix milliseconds.
    """

    seq: int
    type: str
    time_ms: int
    data: dict[str, Any]

    @property
    def time(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(self.time_ms / 1000, UTC)
