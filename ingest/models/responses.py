"""What responses carry: a dataclass for each JSON shape, its fields in the order of the client document.

`presenters.py` makes most of them, of what the database holds. They have no slots: orjson writes a `__dict__` as it is,
and slots one by one (docs/performance.md, Accepting). Their names are in `/openapi.json`.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import WithJsonSchema

from storage.model.broadcast import BroadcastStatus
from storage.model.message import ContentType, MessageStatus, MessageType

# Contract §0: no offset, so not RFC 3339's date-time.
Time = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$",
            "examples": ["2026-03-18T10:10:00"],
        }
    ),
]

# The same instant where the deployment's zone need not be known: contract §0, Times.
UnixMs = Annotated[
    int,
    WithJsonSchema({"type": "integer", "format": "int64", "examples": [1773828600000]}),
]


# Not frozen, as the others are: a frozen one takes far longer to make, and every send makes one.
@dataclass
class MessageAnswer:
    """A message, as the client document's MessageResponse."""

    id: int
    sender_id: int | None
    receiver_id: int | None
    app_id: int | None
    app_name: str | None
    type: MessageType
    content_type: ContentType
    title: str
    content: str
    filename: str | None
    action_url: str | None
    action_text: str | None
    is_read: bool
    created_at: Time
    created_at_ms: UnixMs
    read_at: Time | None
    read_at_ms: UnixMs | None


@dataclass
class MessageWithStatus(MessageAnswer):
    """A message and how far it has come."""

    status: MessageStatus


@dataclass(frozen=True)
class EntrySent:
    """One entry of a batch that was sent."""

    status: int
    message: MessageAnswer


@dataclass(frozen=True)
class EntryRefused:
    """One entry of a batch that was refused; `detail` is as in any response of this status."""

    status: int
    detail: str | list[dict[str, object]]


@dataclass(frozen=True)
class BatchAnswer:
    """The outcomes of a batch, in the order of its entries."""

    results: list[EntrySent | EntryRefused]


@dataclass(frozen=True)
class ConversationAnswer:
    """One line of the conversation list."""

    user_id: int
    username: str
    full_name: str
    unread_count: int
    last_message: str
    last_message_type: ContentType
    updated_at: Time
    updated_at_ms: UnixMs
    is_system: bool
    app_id: int | None
    app_name: str | None


@dataclass(frozen=True)
class UpdatedCount:
    """How many deliveries became read."""

    updated_count: int


@dataclass(frozen=True)
class Total:
    """How many are unread."""

    total: int


@dataclass(frozen=True)
class CallbackUrl:
    """Where a button leads, with a fresh ticket."""

    callback_url: str


@dataclass(frozen=True)
class BroadcastLine:
    """How far a broadcast has come, as a list shows it.

    `last_error`: says that something fails, null if nothing does. `held`: the app is disabled, and nothing goes on
    until it is enabled.
    """

    id: int
    status: BroadcastStatus
    total: int
    expanded: int
    failed_chunks: int
    last_error: str | None
    held: bool
    recalled: int
    read: int
    created_at: Time
    created_at_ms: UnixMs
    started_at: Time | None
    started_at_ms: UnixMs | None
    finished_at: Time | None
    finished_at_ms: UnixMs | None
    rate_per_second: float | None


@dataclass(frozen=True)
class BroadcastAnswer(BroadcastLine):
    """How far a broadcast has come; `unresolved` are the names in its audience that nobody has."""

    unresolved: list[str]


@dataclass(frozen=True)
class UnreadPersonAnswer:
    """A person who has not read a broadcast; `app_user_id` is the app's name for them, null without a mapping."""

    user_id: int
    app_user_id: str | None
    name: str


@dataclass(frozen=True)
class UnreadAnswer:
    """A page of the people who have not read a broadcast, by user id."""

    items: list[UnreadPersonAnswer]


@dataclass(frozen=True)
class PersonAnswer:
    """A person, as a search finds them."""

    id: int
    mobile: str
    name: str
    english_name: str
    status: str


@dataclass(frozen=True)
class ListedPerson(PersonAnswer):
    """A person, as the list shows them; `is_deleted` is 0 or 1."""

    role: str
    is_deleted: int


@dataclass(frozen=True)
class PeopleAnswer:
    """A page of people."""

    total: int
    items: list[ListedPerson]


@dataclass(frozen=True)
class AppAnswer:
    """An app, and the caller's account in it, if any."""

    app_name: str
    app_id: str
    protocol_type: str
    mapped_key: str | None
    mapped_email: str | None
    is_active: bool
    description: str
    category_id: int | None
    category_name: str | None


@dataclass(frozen=True)
class AppsAnswer:
    """A page of apps."""

    total: int
    items: list[AppAnswer]


@dataclass(frozen=True)
class RedirectUrl:
    """Where to go to sign on."""

    redirect_url: str


@dataclass(frozen=True)
class SignedOn:
    """The person whose ticket it was; `app_user_id` and `mapped_email` are null without a mapping."""

    user_id: int
    app_user_id: str | None
    mapped_email: str | None
    name: str


@dataclass(frozen=True)
class PutWay:
    """Upload by PUT with these headers."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class FormWay:
    """Upload by POST of a form with these fields, the file last as `file`."""

    method: str
    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class UploadAnswer:
    """The key to send, and how to upload its object within `expires_in` seconds."""

    key: str
    upload: PutWay | FormWay
    expires_in: int


@dataclass(frozen=True)
class Alive:
    """The process runs."""

    status: str = "ok"


@dataclass(frozen=True)
class Ready:
    """What the process needs, each `ok` or `away`."""

    database: str
    broker: str
    bus: str
