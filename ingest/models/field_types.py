"""What one field of a request may be: its bounds, and how its text is read (contract §2 to §6).

`requests.py` puts fields together. Every type is said in words of JSON Schema too, for `/openapi.json`.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ingest.models.cursors import CURSOR_LENGTH, parse_cursor
from storage.model.conversation import ConversationCursor
from storage.model.media import is_media_type, strip_parameters

MAX_INT64 = 2**63 - 1
ACCOUNT_LENGTH = 255
URL_LENGTH = 2048
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


def refuse_nul(text: str) -> str:
    """A validator of text: PostgreSQL has no NUL."""
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


def _parse_cursor(text: object) -> ConversationCursor:
    try:
        return parse_cursor(str(text))
    except (ValueError, TypeError) as error:
        raise PydanticCustomError(
            "cursor", "Input should be the cursor of a link to the next page"
        ) from error


def _is_no_id(value: Any) -> bool:
    return type(value) is not int or not -MAX_INT64 <= value <= MAX_INT64


def _is_no_account(value: Any) -> bool:
    return type(value) is not str or not 0 < len(value) <= ACCOUNT_LENGTH


Int64 = Annotated[int, Field(strict=True, ge=-MAX_INT64 - 1, le=MAX_INT64)]
# The bound comes before the validator: the other way round it is no JSON Schema in the document.
PathId = Annotated[int, Field(ge=-MAX_INT64 - 1, le=MAX_INT64), BeforeValidator(_parse_decimal)]
QueryText = Annotated[str, Field(max_length=2048), AfterValidator(refuse_nul)]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_parse_decimal)]
Skip = Annotated[int, Field(ge=0, le=SKIP), BeforeValidator(_parse_decimal)]
DeepSkip = Annotated[int, Field(ge=0, le=DEEP_SKIP), BeforeValidator(_parse_decimal)]
EventNumber = Annotated[int, Field(ge=0, le=MAX_INT64), BeforeValidator(_parse_decimal)]
WaitSeconds = Annotated[int, Field(ge=0, le=30), BeforeValidator(_parse_decimal)]
PageLimit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_parse_decimal)]
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


Cursor = Annotated[
    ConversationCursor,
    BeforeValidator(_parse_cursor),
    WithJsonSchema({"type": "string", "maxLength": CURSOR_LENGTH}),
]
MediaType = Annotated[
    str, Field(max_length=255), AfterValidator(strip_parameters), AfterValidator(_check_media_type)
]
