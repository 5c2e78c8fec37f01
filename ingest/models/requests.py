"""What requests carry: bodies, path and query values, as pydantic models (contract §2 to §6).

The other direction is `responses.py`. A model says only what one field may be; rules between
fields are in `ingest/sends/rules.py`. Field order and names are the client document's.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from storage.model.broadcast import BroadcastStatus
from storage.model.media import UNKNOWN_TYPE, clean_filename, is_media_type, strip_parameters
from storage.model.message import ContentType, MessageType

MAX_INT64 = 2**63 - 1
TITLE_LENGTH = 255
ACCOUNT_LENGTH = 255
URL_LENGTH = 2048
BATCH_SIZE = 500
AUDIENCE_SIZE = 100_000
# Rows that are skipped are read all the same: histories have `before_id` for what lies deeper. The list of all people
# skips along an index, and so may skip more.
SKIP = 100_000
DEEP_SKIP = 1_000_000
# How many bad entries of a list a response names: with all of them it could be longer than the list.
NAMED_ENTRIES = 20

_DECIMAL = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _parse_decimal(value: object) -> object:
    # Stricter than int(): no `1_000`, no ` 1`, no full-width digits.
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("int_parsing", "Input should be a whole number")
    return int(value) if isinstance(value, str) else value


def _write_content(value: object) -> object:
    # Contract §2: an object is stored as its JSON text, compact, in the caller's order, unescaped; its
    # numbers as they were written (`json_body.py`).
    if isinstance(value, dict):
        try:
            return orjson.dumps(value).decode()
        except TypeError as error:
            raise PydanticCustomError("json_depth", "Input is nested too deeply") from error
    if isinstance(value, str):
        return value
    raise PydanticCustomError("content_type", "Input should be a string or an object")


def _parse_instant(value: object) -> object:
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            pass
    raise PydanticCustomError(
        "datetime_parsing", "Input should be an RFC 3339 instant with an offset"
    )


def _refuse_nul(text: str) -> str:
    # Bodies are checked as a whole in json_body.py; this is for paths and queries (%00).
    if "\0" in text:
        raise PydanticCustomError("string_nul", "Text must not contain NUL (U+0000)")
    return text


def _check_media_type(content_type: str) -> str:
    if not is_media_type(content_type):
        raise PydanticCustomError("media_type", "Input should be a media type such as image/png")
    return content_type


def _refuse_entries(bad: Callable[[Any], bool], *, what: str) -> Callable[[list[Any]], list[Any]]:
    """A validator of a long list: it finds every entry that is `bad` and names the first few of them in one error."""

    def check(values: list[Any]) -> list[Any]:
        places = [place for place, value in enumerate(values) if bad(value)]
        if places:
            named = ", ".join(map(str, places[:NAMED_ENTRIES]))
            raise PydanticCustomError(
                "audience_entries",
                "{count} of {total} entries are not {what}; the first, by place from 0: {named}",
                {"count": len(places), "total": len(values), "what": what, "named": named},
            )
        return values

    return check


def _is_no_id(value: Any) -> bool:
    return type(value) is not int or not -MAX_INT64 <= value <= MAX_INT64


def _is_no_account(value: Any) -> bool:
    return type(value) is not str or not 0 < len(value) <= ACCOUNT_LENGTH


Int64 = Annotated[int, Field(strict=True, ge=-MAX_INT64 - 1, le=MAX_INT64)]
# The bound comes before the validator: the other way round it is no JSON Schema in the document.
PathId = Annotated[int, Field(ge=-MAX_INT64 - 1, le=MAX_INT64), BeforeValidator(_parse_decimal)]
QueryText = Annotated[str, Field(max_length=2048), AfterValidator(_refuse_nul)]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_parse_decimal)]
Skip = Annotated[int, Field(ge=0, le=SKIP), BeforeValidator(_parse_decimal)]
DeepSkip = Annotated[int, Field(ge=0, le=DEEP_SKIP), BeforeValidator(_parse_decimal)]
Url = Annotated[str, Field(max_length=URL_LENGTH)]
Account = Annotated[str, Field(min_length=1, max_length=ACCOUNT_LENGTH)]
_AnId = Annotated[Any, WithJsonSchema({"type": "integer", "format": "int64"})]
_AnAccount = Annotated[
    Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": ACCOUNT_LENGTH})
]
AudienceIds = Annotated[
    list[_AnId],
    Field(min_length=1, max_length=AUDIENCE_SIZE),
    AfterValidator(_refuse_entries(_is_no_id, what="ids (whole numbers of 64 bits)")),
]
AudienceNames = Annotated[
    list[_AnAccount],
    Field(min_length=1, max_length=AUDIENCE_SIZE),
    AfterValidator(
        _refuse_entries(_is_no_account, what=f"names of 1 to {ACCOUNT_LENGTH} characters")
    ),
]
Content = Annotated[
    str,
    BeforeValidator(_write_content),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


MediaType = Annotated[
    str, Field(max_length=255), AfterValidator(strip_parameters), AfterValidator(_check_media_type)
]


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
    app_user_ids: AudienceNames | None = None


class SendBody(RequestModel):
    """`POST /messages/` (contract §2)."""

    type: Annotated[MessageType, Field(strict=False)]
    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH)]
    content: Content
    content_type: Annotated[ContentType, Field(strict=False)] = ContentType.TEXT
    receiver_id: Int64 | None = None
    app_id: Account | None = None
    app_user_id: Account | None = None
    sender_app_user_id: Account | None = None
    is_broadcast: bool = False
    audience: Audience | None = None
    auto_sso: bool = False
    target_url: Url | None = None
    action_url: Url | None = None
    action_text: Annotated[str, Field(max_length=TITLE_LENGTH)] | None = None
    send_at: Instant | None = None


class BatchBody(RequestModel):
    """`POST /messages/batch`: each entry is validated by itself, later; an Invalid in its place is refused already."""

    lenient_list: ClassVar[str] = "messages"

    messages: Annotated[
        list[Annotated[Any, WithJsonSchema({"type": "object"})]],
        Field(min_length=1, max_length=BATCH_SIZE),
    ]


class ReadBody(RequestModel):
    """`PUT /messages/conversations/{other_user_id}/read`: without `up_to_id`, all of it."""

    up_to_id: Annotated[Int64, Field(ge=0)] | None = None


class LoginBody(RequestModel):
    """`POST /simple/sso-login`; the client document sends an empty username and password."""

    app_id: Account
    username: str = ""
    password: str = ""


class VerifyBody(RequestModel):
    """`POST /simple/sso/verify`."""

    ticket: Annotated[str, Field(min_length=1, max_length=512)]


class UploadBody(RequestModel):
    """`POST /media/uploads`: `size` in bytes; a type as a browser's `File` has it, maybe empty."""

    content_type: MediaType = UNKNOWN_TYPE
    filename: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(clean_filename)]
    size: Annotated[Int64, Field(ge=1)]


class OneMessage(RequestModel):
    """A message named in the path."""

    message_id: PathId


class OneObject(RequestModel):
    """A media object named in the path by its key."""

    key: QueryText


class OneConversation(RequestModel):
    """A conversation named in the path by its peer."""

    other_user_id: PathId


class HistoryWindow(OneConversation):
    """A page of a history."""

    skip: Skip = 0
    limit: Limit = 50
    before_id: PathId | None = None


class OneBroadcast(RequestModel):
    """A broadcast named in the path."""

    broadcast_id: PathId


class UnreadWindow(OneBroadcast):
    """A page of the people who have not read a broadcast."""

    limit: Limit = 100
    after_user_id: PathId = 0


class BroadcastWindow(RequestModel):
    """A page of an app's broadcasts, all or those of one status."""

    limit: Limit = 20
    before_id: PathId | None = None
    status: Annotated[BroadcastStatus, Field(strict=False)] | None = None


class PeopleSearch(RequestModel):
    """`GET /users/search`."""

    q: QueryText = ""
    limit: Limit = 20


class PeopleWindow(RequestModel):
    """`GET /users/`."""

    keyword: QueryText = ""
    skip: DeepSkip = 0
    limit: Limit = 20


class AppsWindow(RequestModel):
    """A page of apps."""

    search: QueryText = ""
    skip: Skip = 0
    limit: Limit = 100


class JumpParameters(RequestModel):
    """`GET /simple/sso/jump`."""

    app_id: QueryText
    redirect_to: QueryText
