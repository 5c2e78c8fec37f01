"""What requests carry: bodies, path and query values, as pydantic models (contract §2 to §6).

The other direction is `responses.py`. A model says only what one field may be; rules between
fields are in `ingest/sends/rules.py`. Field order and names are the client document's. What stands under a field is its
description in `/openapi.json`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from ingest.models.field_types import (
    Account,
    AudienceIds,
    AudienceNames,
    Content,
    Cursor,
    DeepSkip,
    EventNumber,
    Instant,
    Int64,
    Limit,
    MediaType,
    PageLimit,
    PathId,
    QueryText,
    Skip,
    Url,
    WaitSeconds,
    refuse_nul,
)
from storage.model.broadcast import BroadcastStatus
from storage.model.media import UNKNOWN_TYPE, clean_filename
from storage.model.message import CardState, ContentType, MessageType

TITLE_LENGTH = 255
CLIENT_REF_LENGTH = 64
REF_LENGTH = 128
STATE_TEXT_LENGTH = 64
BATCH_SIZE = 500


class RequestModel(BaseModel):
    """Base of what requests carry: exact JSON types, unknown fields ignored.

    `lenient_list`: the field, if any, that is a list whose items fail each alone (`json_body.parse_with_lenient_list`).
    """

    lenient_list: ClassVar[str] = ""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """The model of these values; raises pydantic's ValidationError with everything that is wrong."""
        # Not `model_validate`: that goes through its own options for as long again as validating takes.
        model: Self = cls.__pydantic_validator__.validate_python(values)
        return model


class Nothing(RequestModel):
    """Stands for no parameters, or no body."""


class Audience(RequestModel):
    """Whom a broadcast goes to: ids of people, or the app's own names for them."""

    user_ids: AudienceIds | None = None
    """Platform ids of people, up to 100,000. Instead of `app_user_ids`."""
    app_user_ids: AudienceNames | None = None
    """The calling app's names for people, up to 100,000. Names without a mapping are listed in the report as
    `unresolved`.
    """


class SendBody(RequestModel):
    """`POST /messages/` (contract §2)."""

    type: Annotated[MessageType, Field(strict=False)]
    """`MESSAGE` (somebody speaks) or `NOTIFICATION` (something is announced; apps only)."""
    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH)]
    """What lists and banners show: 1 to 255 characters."""
    content: Content
    """Text, or a JSON object (it comes back as its JSON text), up to 64 KiB by default. For `IMAGE`, `VIDEO` and
    `FILE`: the key of an uploaded object (`POST /media/uploads`).
    """
    content_type: Annotated[ContentType, Field(strict=False)] = ContentType.TEXT
    """What `content` is. `USER_NOTIFICATION`, a card that clients show in their own way, goes with `MESSAGE` only."""
    receiver_id: Int64 | None = None
    """The receiver's platform id. Exactly one way to name the receiver; none for a broadcast."""
    app_id: Account | None = None
    """The string id of an app: with `app_user_id` it names the receiver, otherwise the app of the button. On an app's
    call only its own.
    """
    app_user_id: Account | None = None
    """The receiver, as the app calls them; resolved through the app's mappings."""
    sender_app_user_id: Account | None = None
    """Apps only: the account of the person on whose behalf the app sends."""
    is_broadcast: bool = False
    """Apps only, with `NOTIFICATION` and no receiver: to everyone who is active now, or to `audience`."""
    audience: Audience | None = None
    """Broadcasts only: these people instead of everyone."""
    auto_sso: bool = False
    """Make a button that signs the person in to the app and goes on to `target_url`. With `NOTIFICATION` or
    `USER_NOTIFICATION`.
    """
    target_url: Url | None = None
    """Where the button of `auto_sso` leads: an absolute http(s) URL on a host that the app has registered."""
    action_url: Url | None = None
    """A button of the sender's own: an absolute http(s) URL. It wins over `auto_sso`."""
    action_text: Annotated[str, Field(max_length=TITLE_LENGTH)] | None = None
    """What the button says, up to 255 characters."""
    send_at: Instant | None = None
    """Send later: an instant with an offset (RFC 3339), up to 90 days ahead. Up to a minute in the past means now."""
    client_ref: Annotated[str, Field(max_length=CLIENT_REF_LENGTH)] | None = None
    """The client's own name for this send, up to 64 characters. It comes back in the answer and in the frames of the
    sender's own devices.
    """
    ref: Annotated[str, Field(min_length=1, max_length=REF_LENGTH)] | None = None
    """Apps only, cards only: the app's own name for the matter, up to 128 characters. Several messages may share it."""
    state: Annotated[CardState, Field(strict=False)] | None = None
    """Apps only, with `NOTIFICATION` or `USER_NOTIFICATION`: makes the message a to-do of its receivers."""
    state_text: Annotated[str, Field(max_length=STATE_TEXT_LENGTH)] | None = None
    """Apps only, cards only: the state in the app's own words, up to 64 characters."""


class CardBody(RequestModel):
    """`PATCH /messages/{message_id}` and `/messages/by-ref/{ref}` (contract §8): what is named changes, the rest stays."""

    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH)] | None = None
    """The new title, 1 to 255 characters."""
    content: Content | None = None
    """The new content, as at send."""
    action_url: Url | None = None
    """A new button of the sender's own: an absolute http(s) URL. Null takes the button away."""
    auto_sso: bool = False
    """Make a new button that signs the person in to the app and goes on to `target_url`."""
    target_url: Url | None = None
    """Where the button of `auto_sso` leads: an absolute http(s) URL on a host that the app has registered."""
    action_text: Annotated[str, Field(max_length=TITLE_LENGTH)] | None = None
    """What the button says, up to 255 characters. Null takes it away."""
    state: Annotated[CardState, Field(strict=False)] | None = None
    """The new state."""
    state_text: Annotated[str, Field(max_length=STATE_TEXT_LENGTH)] | None = None
    """The state in the app's own words, up to 64 characters. Null takes it away."""
    expected_version: Annotated[Int64, Field(ge=1)] | None = None
    """Change this version only: 409 if there is a newer one."""


class BatchBody(RequestModel):
    """`POST /messages/batch`: each entry is validated by itself, later; an Invalid in its place is refused already."""

    lenient_list: ClassVar[str] = "messages"

    messages: Annotated[
        list[Annotated[Any, WithJsonSchema({"type": "object", "description": "As `SendBody`."})]],
        Field(min_length=1, max_length=BATCH_SIZE),
    ]
    """1 to 500 sends, each as the body of `POST /messages/`. A bad entry fails alone."""


class ReadBody(RequestModel):
    """`PUT /messages/conversations/{other_user_id}/read`: without `up_to_id`, all of it."""

    up_to_id: Annotated[Int64, Field(ge=0)] | None = None
    """The newest message that the person has seen. Without it all of the conversation is read."""


class LoginBody(RequestModel):
    """`POST /simple/sso-login`; the client document sends an empty username and password."""

    app_id: Account
    """The app's string id."""
    username: str = ""
    """Ignored; old clients send it empty."""
    password: str = ""
    """Ignored; old clients send it empty."""


class VerifyBody(RequestModel):
    """`POST /simple/sso/verify`."""

    ticket: Annotated[str, Field(min_length=1, max_length=512)]
    """The `ticket` from the URL of your callback page. It works once, within 60 seconds."""


class UploadBody(RequestModel):
    """`POST /media/uploads`: `size` in bytes; a type as a browser's `File` has it, maybe empty."""

    content_type: MediaType = UNKNOWN_TYPE
    """The file's media type, such as `image/png`. Empty: `application/octet-stream`. Parameters are dropped."""
    filename: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(clean_filename)]
    """The file's own name, 1 to 255 characters. Readers get it back."""
    size: Annotated[Int64, Field(ge=1)]
    """Bytes, exactly; up to 100 MiB by default."""


class OneMessage(RequestModel):
    """A message named in the path."""

    message_id: PathId
    """The message's id."""


class OneRef(RequestModel):
    """Messages named in the path by what their app calls their matter."""

    ref: Annotated[str, Field(min_length=1, max_length=REF_LENGTH), AfterValidator(refuse_nul)]
    """The app's own name for the matter, as at send."""


class TodoWindow(RequestModel):
    """A page of a person's to-dos."""

    state: Annotated[CardState, Field(strict=False)] = CardState.PENDING
    """Only to-dos of this state."""
    limit: Limit = 50
    """To-dos on a page."""
    before_id: PathId | None = None
    """Only to-dos with a lower id: the lowest id of the page before."""


class OneObject(RequestModel):
    """A media object named in the path by its key."""

    key: QueryText
    """The object's key."""


class OneConversation(RequestModel):
    """A conversation named in the path by its peer."""

    other_user_id: PathId
    """The conversation: above 0 that person's id, below 0 minus an app's integer id, 0 the system."""


class ConversationsWindow(RequestModel):
    """A page of the conversation list; without parameters the newest 1,000."""

    limit: PageLimit | None = None
    """Conversations on a page, 1 to 200; 200 if only `cursor` is given."""
    cursor: Cursor | None = None
    """Where the page begins: it is in the link to the next page, and nowhere else."""


class HistoryWindow(OneConversation):
    """A page of a history."""

    skip: Skip = 0
    """Messages to skip, up to 100,000. For old clients: it reads what it skips. Page with `before_id`."""
    limit: Limit = 50
    """Messages on a page."""
    before_id: PathId | None = None
    """Only messages with a lower id: the lowest id of the page before."""


class OneBroadcast(RequestModel):
    """A broadcast named in the path."""

    broadcast_id: PathId
    """The broadcast's id: that of the message which the send answered."""


class UnreadWindow(OneBroadcast):
    """A page of the people who have not read a broadcast."""

    limit: Limit = 100
    """People on a page."""
    after_user_id: PathId = 0
    """Only people with a higher id: the last id of the page before."""


class BroadcastWindow(RequestModel):
    """A page of an app's broadcasts, all or those of one status."""

    limit: Limit = 20
    """Broadcasts on a page."""
    before_id: PathId | None = None
    """Only broadcasts with a lower id: the lowest id of the page before."""
    status: Annotated[BroadcastStatus, Field(strict=False)] | None = None
    """Only broadcasts that stand there."""


class AppEventsWindow(RequestModel):
    """The calling app's events after a number."""

    after: EventNumber = 0
    """Only events with a higher number: `next_after` of the page before. It says that the app has all up to it."""
    limit: Limit = 100
    """Events at most; there may be fewer, also if more are to come."""
    wait: WaitSeconds = 0
    """For how many seconds the answer may wait for an event if there is none, up to 30."""


class PeopleSearch(RequestModel):
    """`GET /users/search`."""

    q: QueryText = ""
    """A part of a name, a mobile number or an English name; one Chinese character is enough."""
    limit: Limit = 20
    """People at most."""


class PeopleWindow(RequestModel):
    """`GET /users/`."""

    keyword: QueryText = ""
    """A part of a name, a mobile number or an English name. Empty: everyone."""
    skip: DeepSkip = 0
    """People to skip, up to 1,000,000; with a keyword 100,000."""
    limit: Limit = 20
    """People on a page."""


class AppsWindow(RequestModel):
    """A page of apps."""

    search: QueryText = ""
    """A part of the app's name or string id. Empty: every app."""
    skip: Skip = 0
    """Apps to skip, up to 100,000."""
    limit: Limit = 100
    """Apps on a page."""


class JumpParameters(RequestModel):
    """`GET /simple/sso/jump`."""

    app_id: QueryText
    """The app's string id."""
    redirect_to: QueryText
    """Where to go after signing on: an absolute http(s) URL on a host that the app has registered."""


class PageParameters(RequestModel):
    """In which language a page is shown."""

    lang: QueryText = ""
    """`en` or `zh`; otherwise as the browser prefers."""
