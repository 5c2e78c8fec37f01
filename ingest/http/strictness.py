"""`Prefer: handling=strict` (RFC 7240 §4.4): what a request has that would be ignored in silence (contract §0, Strict input).

Called by the handler, and by batches for their entries. Costs nothing without the preference. What two fields mean
together is the business of the subject: an endpoint's `find_ignored`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from starlette.types import Message, Send

from ingest.http import json_body
from ingest.models.requests import RequestModel
from storage.model.error_codes import ErrorCode
from storage.model.errors import FieldProblem, Invalid

_APPLIED = b"preference-applied"
_STRICT = b"handling=strict"


def find_unknown_fields(
    model: type[RequestModel], values: Mapping[str, Any], *, within: tuple[str | int, ...]
) -> list[FieldProblem]:
    """The fields in `values` that `model`, or a model within it, does not know; `within` leads to the values."""
    found: list[FieldProblem] = []
    for name, value in values.items():
        field = model.model_fields.get(name)
        if field is None:
            found.append(FieldProblem((*within, name), "Unknown field", "extra_forbidden"))
        elif isinstance(value, dict) and (inner := _find_model(field.annotation)) is not None:
            found += find_unknown_fields(inner, value, within=(*within, name))
    return found


def find_ignored_parameters(
    query: Iterable[tuple[str, str]], *, known: Iterable[str]
) -> list[FieldProblem]:
    """The parameters of a query that are not among the `known` ones, or come more than once."""
    counts, names = Counter(name for name, _ in query), frozenset(known)
    unknown = [name for name in counts if name not in names]
    repeated = [name for name, count in counts.items() if count > 1 and name in names]
    return [
        *(FieldProblem(("query", one), "Unknown parameter", "extra_forbidden") for one in unknown),
        *(FieldProblem(("query", one), "Given more than once", "repeated") for one in repeated),
    ]


def find_repeated_keys(body: bytes) -> list[FieldProblem]:
    """The keys that stand more than once in one object of a JSON body: only their last value counts."""
    return _describe_repeated(json_body.find_repeated_keys(body))


def refuse_repeating_entries(
    value: Mapping[str, Any], body: bytes, *, name: str
) -> list[FieldProblem]:
    """Put an Invalid in the place of each entry of the list `name` that repeats a key: it alone is refused.

    `value` is what `body` was parsed as. Returns the keys that the body repeats elsewhere.
    """
    elsewhere, by_place = json_body.find_repeated_keys_by_entry(body, name)
    entries = value.get(name)
    for place, names in by_place.items():
        # One that cannot be read is refused already.
        if isinstance(entries, list) and not isinstance(entries[place], Invalid):
            entries[place] = Invalid(*_describe_repeated(names), code=ErrorCode.IGNORED_FIELD)
    return _describe_repeated(elsewhere)


def _describe_repeated(names: Iterable[str]) -> list[FieldProblem]:
    return [FieldProblem(("body", name), "Given more than once", "repeated") for name in names]


def make_ignored(name: str, msg: str) -> FieldProblem:
    """The problem of a field of the body that has no effect; `msg` says why."""
    return FieldProblem(("body", name), msg, "ignored")


def add_ignored(invalid: Invalid, ignored: list[FieldProblem]) -> Invalid:
    """One Invalid with what is wrong and what would be ignored: a misspelt field is both missing and unknown."""
    return Invalid(*invalid.problems, *ignored, code=invalid.code)


def refuse_ignored(ignored: list[FieldProblem]) -> None:
    """Raise Invalid if something would be ignored."""
    if ignored:
        raise Invalid(*ignored, code=ErrorCode.IGNORED_FIELD)


def note_strict(send: Send) -> Send:
    """`send`, with `Preference-Applied: handling=strict` added to the response."""

    async def send_noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            others = [value for name, value in headers if name == _APPLIED]
            rest = [pair for pair in headers if pair[0] != _APPLIED]
            message["headers"] = [*rest, (_APPLIED, b", ".join([*others, _STRICT]))]
        await send(message)

    return send_noted


def _find_model(annotation: Any) -> type[RequestModel] | None:
    """The model that a field's annotation names, alone or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, RequestModel):
        return annotation
    found = (_find_model(one) for one in get_args(annotation))
    return next((one for one in found if one is not None), None)
