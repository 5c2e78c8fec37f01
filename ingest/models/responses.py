"""What responses carry: a dataclass for each JSON shape, its fields in the order of the client document.

Those of broadcasts are in `broadcast_responses.py`. `presenters.py` makes most of them, of what the database holds. They
have no slots: orjson writes a `__dict__` as it is, and slots one by one (docs/performance.md, Accepting). Their names, and
what stands under a field, are in `/openapi.json`.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import WithJsonSchema

from storage.model.message import CardState, ContentType, MessageStatus, MessageType

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
    """Its id, below 2^53. A message that was accepted later has a higher one."""
    sender_id: int | None
    """The person who sent it, or on whose behalf it was sent; null for an app's own and for notifications."""
    receiver_id: int | None
    """The person who gets it; null for a broadcast."""
    app_id: int | None
    """The integer id of its app; null from person to person."""
    app_name: str | None
    """The app's name; null from person to person."""
    type: MessageType
    """`MESSAGE` or `NOTIFICATION`."""
    content_type: ContentType
    """What `content` is."""
    title: str
    """Up to 255 characters."""
    content: str
    """Text, or the JSON text of an object. For `IMAGE`, `VIDEO` and `FILE`: a URL that needs no token and works for an
    hour by default.
    """
    filename: str | None
    """The file's own name; null for what is no file."""
    action_url: str | None
    """Where its button leads; null without one. One that begins with `/api/v1/simple/sso/jump` signs on: ask for its
    address with `GET /messages/{message_id}/callback-url`.
    """
    action_text: str | None
    """What its button says; null without one."""
    is_read: bool
    """Whether the receiver has read it. Of a message that the caller sent: whether the other side has."""
    created_at: Time
    """When it was accepted, in the deployment's time zone, without an offset."""
    created_at_ms: UnixMs
    """The same instant as Unix milliseconds."""
    read_at: Time | None
    """When it was read, in the deployment's time zone, without an offset; null while it is not."""
    read_at_ms: UnixMs | None
    """The same instant as Unix milliseconds; null while it is not read."""
    client_ref: str | None
    """What the sender's client called its send; null for everybody else."""
    state: CardState | None
    """How far the matter of a card is; null for what is no to-do."""
    state_text: str | None
    """The state in the app's own words, such as who decided; null without one."""
    ref: str | None
    """The app's own name for the matter; null without one."""
    version: int
    """1 at first, one more with each change by the app that sent it."""


@dataclass
class MessageWithStatus(MessageAnswer):
    """A message and how far it has come."""

    status: MessageStatus
    """How far it has come."""


@dataclass(frozen=True)
class EntrySent:
    """One entry of a batch that was sent."""

    status: int
    """200."""
    message: MessageAnswer
    """The message, as `POST /messages/` answers it."""


@dataclass(frozen=True)
class EntryRefused:
    """One entry of a batch that was refused; `detail` and `code` are as in any response of this status."""

    index: int
    """Its place in the batch, from 0."""
    status: int
    """The HTTP status that this entry alone would have had."""
    detail: str | list[dict[str, object]]
    """A sentence, or for 422 a list that names each wrong field."""
    code: str
    """The error's code, for programs."""


@dataclass(frozen=True)
class BatchAnswer:
    """The outcomes of a batch, in the order of its entries."""

    results: list[EntrySent | EntryRefused]
    """One outcome for each entry, in their order."""


@dataclass(frozen=True)
class ConversationAnswer:
    """One line of the conversation list."""

    user_id: int
    """Names the conversation: above 0 the other person's id, below 0 minus the app's integer id, 0 the system."""
    username: str
    """The person's mobile number, the app's string id, or `system`."""
    full_name: str
    """The name of the person or the app."""
    unread_count: int
    """How many of its messages the caller has not read."""
    last_message: str
    """The newest message's text, up to 200 characters; for anything but text its type, such as `[IMAGE]`."""
    last_message_type: ContentType
    """What the newest message's content is."""
    updated_at: Time
    """When the newest message came, in the deployment's time zone, without an offset."""
    updated_at_ms: UnixMs
    """The same instant as Unix milliseconds."""
    is_system: bool
    """False for a person; true for an app and the system."""
    app_id: int | None
    """The app's integer id; null for anybody else."""
    app_name: str | None
    """The app's name; null for anybody else."""


@dataclass(frozen=True)
class UpdatedCount:
    """How many deliveries became read."""

    updated_count: int
    """How many messages became read by this call."""


@dataclass(frozen=True)
class Totals:
    """How many are unread, and how many are to be done."""

    total: int
    """Unread messages of all conversations."""
    todo: int
    """To-dos that are pending."""


@dataclass(frozen=True)
class CallbackUrl:
    """Where a button leads, with a fresh ticket."""

    callback_url: str
    """The app's callback page with `ticket` and `next`. The ticket works once, within 60 seconds."""


@dataclass(frozen=True)
class PersonAnswer:
    """A person, as a search finds them."""

    id: int
    """The platform id."""
    mobile: str
    """The mobile number; may be empty."""
    name: str
    """The name."""
    english_name: str
    """The English name; may be empty."""
    status: str
    """`ACTIVE`, or why not, such as `DISABLED`."""


@dataclass(frozen=True)
class ListedPerson(PersonAnswer):
    """A person, as the list shows them; `is_deleted` is 0 or 1."""

    role: str
    """`ADMIN` or `ORDINARY_USER`."""
    is_deleted: int
    """1 for somebody who was deleted, else 0."""


@dataclass(frozen=True)
class PeopleAnswer:
    """A page of people."""

    total: int
    """How many there are in all; with a keyword counted up to 100,000."""
    items: list[ListedPerson]
    """The people of this page, by id."""


@dataclass(frozen=True)
class AppAnswer:
    """An app, and the caller's account in it, if any."""

    app_name: str
    """Its name."""
    app_id: str
    """Its string id."""
    protocol_type: str
    """How it signs people on, such as `SIMPLE_API`."""
    mapped_key: str | None
    """The caller's account in the app; null without one."""
    mapped_email: str | None
    """The e-mail address of that account; null without one."""
    is_active: bool
    """Whether it may call and be opened."""
    description: str
    """What it is, for people."""
    category_id: int | None
    """The id of its group; null without one."""
    category_name: str | None
    """The name of its group; null without one."""


@dataclass(frozen=True)
class AppsAnswer:
    """A page of apps."""

    total: int
    """How many there are in all."""
    items: list[AppAnswer]
    """The apps of this page."""


@dataclass(frozen=True)
class RedirectUrl:
    """Where to go to sign on."""

    redirect_url: str
    """The app's callback page with a ticket, which works once, within 60 seconds."""


@dataclass(frozen=True)
class SignedOn:
    """The person whose ticket it was; `app_user_id` and `mapped_email` are null without a mapping."""

    user_id: int
    """The person's platform id."""
    app_user_id: str | None
    """The app's name for them; null without a mapping."""
    mapped_email: str | None
    """The e-mail address of that account; null without a mapping."""
    name: str
    """Their name."""


@dataclass(frozen=True)
class PutWay:
    """Upload by PUT with these headers."""

    method: str
    """`PUT`."""
    url: str
    """Where to."""
    headers: dict[str, str]
    """Headers to send, exactly these."""


@dataclass(frozen=True)
class FormWay:
    """Upload by POST of a form with these fields, the file last as `file`."""

    method: str
    """`POST`."""
    url: str
    """Where to."""
    fields: dict[str, str]
    """Fields of the form, to be sent before the file."""


@dataclass(frozen=True)
class UploadAnswer:
    """The key to send, and how to upload its object within `expires_in` seconds."""

    key: str
    """What to send as `content`."""
    upload: PutWay | FormWay
    """How to upload the object: with `headers` the bare file, with `fields` a form."""
    expires_in: int
    """Seconds in which the upload has to be done."""


@dataclass(frozen=True)
class SocketTicket:
    """Opens one WebSocket, soon."""

    ticket: str
    """What to send as `ticket` in the query. It works once."""
    expires_in: int
    """Seconds in which the socket has to be opened."""


@dataclass(frozen=True)
class Alive:
    """The process runs."""

    status: str = "ok"
    """`ok`."""


@dataclass(frozen=True)
class Ready:
    """What the process needs, each `ok` or `away`."""

    database: str
    """`ok`."""
    broker: str
    """`ok`."""
    bus: str
    """`ok`."""
