"""Reads request bodies as JSON objects, strictly (contract §0, Strict input). Pure; knows nothing of fields.

Values that PostgreSQL or JavaScript could not hold are refused here, wherever in the body they are, so that no other
code has to think of them. Numbers that are not whole stay as they were written where an object is stored as its text
(contract §2): there an `orjson.Fragment` stands in place of a float.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from storage.model.error_codes import ErrorCode
from storage.model.errors import FieldProblem, Invalid

# orjson reads a whole number past 64 bits as a float, silently. Only where so many digits stand
# together is the body read again. Every digit as 0, then a search: far faster than a pattern.
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
_MAYBE_PAST_64_BITS = b"0" * 19
_PAST_A_DOUBLE = b"0" * 309
_MAX, _MIN = 2**64 - 1, -(2**63)
_LONGEST = len(str(_MAX))
# orjson reads it as 0.
_MINUS_ZERO = re.compile(rb"-0(?![0-9])")


def parse(body: bytes) -> dict[str, Any]:
    """The object in `body`, keys in the caller's order; of a repeated key the last value.

    Raises Invalid for anything else: another kind of value, NaN, a lone surrogate, bytes that are not
    UTF-8, a NUL, a whole number past 64 bits, more than 1,000 levels.
    """
    value: Any
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        value = _load_past_a_double(body)
        if value is None:
            raise _invalid(f"The body is not valid JSON: {error.msg}", "json_invalid") from error
    if not isinstance(value, dict):
        raise _invalid("The body must be a JSON object.", "object_type")
    # `find` and not `in`: that takes bytes for a number first, and makes an error which it then forgets.
    # A NUL can only come in as its escape: a bare one is not JSON.
    if body.find(b"\\u0000") >= 0:
        _refuse_unstorable(value)
    digits = body.translate(_DIGITS_AS_0)
    if digits.find(_MAYBE_PAST_64_BITS) >= 0:
        _refuse_long_numbers(body)
    found: dict[str, Any] = value
    holds_others = body.find(b"{", 1) >= 0 or body.find(b"[") >= 0
    if (
        holds_others
        and _may_lose_digits(body, digits)
        and any(isinstance(one, dict | list) for one in found.values())
    ):
        found = _load_as_written(body)
    return found


def parse_with_lenient_list(body: bytes, name: str) -> dict[str, Any]:
    """The object in `body` as `parse` reads it, but what is wrong in an item of the list `name` costs that item alone.

    An Invalid stands in the place of such an item. Raises Invalid if the body is no JSON object with such a list, or if
    something else in it is wrong.
    """
    try:
        return parse(body)
    except Invalid as whole:
        value = _load_leniently(body)
        items = value.get(name) if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise
        found = {**value, name: [_item_or_refusal(item) for item in items]}
        if not any(isinstance(item, Invalid) for item in found[name]):
            raise whole from None
        return found


def find_repeated_keys(body: bytes) -> list[str]:
    """The keys that stand more than once in one object of the body, at whatever depth; none of a body that is no JSON."""
    found: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        counts = Counter(key for key, _ in pairs)
        found.extend(key for key, count in counts.items() if count > 1)

    try:
        json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return []
    return found


class _NotedObject(dict[str, Any]):
    """An object of a body, with the keys that stand more than once in it."""

    repeated: Sequence[str] = ()


def find_repeated_keys_by_entry(body: bytes, name: str) -> tuple[list[str], dict[int, list[str]]]:
    """The keys that a body repeats: outside of its list `name`, and in the entries of that list, by their places.

    Nothing is found in a body that is no JSON object.
    """

    def note(pairs: list[tuple[str, Any]]) -> _NotedObject:
        noted = _NotedObject(pairs)
        if len(noted) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            noted.repeated = [key for key, count in counts.items() if count > 1]
        return noted

    try:
        value = json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return [], {}
    if not isinstance(value, _NotedObject):
        return [], {}
    entries = value.pop(name, None)
    found = {
        place: repeated
        for place, entry in enumerate(entries if isinstance(entries, list) else [])
        if (repeated := _collect_repeated(entry))
    }
    return _collect_repeated(value), found


def _collect_repeated(value: Any) -> list[str]:
    """The repeated keys of `value` and of what is in it. No recursion: a body may have a thousand levels."""
    found: list[str] = []
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, _NotedObject):
            found += one.repeated
            left += one.values()
        elif isinstance(one, list):
            left += one
    return found


def fingerprint(body: bytes) -> bytes:
    """A digest of the JSON value in `body`: the order of keys, spaces and escapes make no difference.

    Numbers count as they were written. Of a body that is no JSON, or is nested too deeply to be written again, it is a
    digest of its bytes.
    """
    try:
        value = (
            _load_as_written(body) if _may_lose_digits(body, body.translate(_DIGITS_AS_0)) else None
        )
        text = orjson.dumps(
            orjson.loads(body) if value is None else value, option=orjson.OPT_SORT_KEYS
        )
    except (Invalid, TypeError, ValueError):
        text = body
    return hashlib.sha256(text).digest()


def _may_lose_digits(body: bytes, digits: bytes) -> bool:
    """Whether a number may stand in the body that orjson would not write as it read it."""
    if b"0." in digits or b"0e" in digits or b"0E" in digits:
        return True
    return b"-0" in body and _MINUS_ZERO.search(body) is not None


def _load_as_written(body: bytes) -> Any:
    return _load(body, parse_int=_int_as_written)


def _load_past_a_double(body: bytes) -> Any:
    """The value of a body that orjson refuses only because a number in it is past a double; None otherwise."""
    digits = body.translate(_DIGITS_AS_0)
    # Without an exponent it takes more than 308 digits; anything else is not worth a second reading.
    if b"0e" not in digits and b"0E" not in digits and _PAST_A_DOUBLE not in digits:
        return None
    try:
        value = _load_as_written(body)
        _refuse_unstorable(value)
    except Invalid:
        return None
    return value


def _load_leniently(body: bytes) -> Any:
    """The value in `body`, with an Invalid in the place of every number past 64 bits; None if it is not JSON."""
    try:
        return _load(body, parse_int=_int_or_refusal)
    except Invalid:
        return None


def _item_or_refusal(item: Any) -> Any:
    try:
        _refuse_unstorable(item)
    except Invalid as refusal:
        return refusal
    return item


def _load(body: bytes, **options: Any) -> Any:
    """The value as Python's `json` reads it: as strict as orjson, except that it lets lone surrogates pass."""
    try:
        text = body.decode()
        return json.loads(
            text, parse_float=_make_fragment, parse_constant=_refuse_constant, **options
        )
    except RecursionError as error:
        raise _invalid("The body is nested too deeply.", "json_invalid") from error
    except ValueError as error:
        raise _invalid("The body is not valid JSON.", "json_invalid") from error


def _make_fragment(text: str) -> orjson.Fragment:
    return orjson.Fragment(text.encode())


def _int_as_written(text: str) -> int | orjson.Fragment:
    return _make_fragment(text) if text == "-0" else _parse_whole(text)


def _int_or_refusal(text: str) -> int | orjson.Fragment | Invalid:
    try:
        return _int_as_written(text)
    except Invalid as refusal:
        return refusal


def _refuse_constant(_text: str) -> Any:
    raise _invalid("NaN and Infinity are not JSON.", "json_invalid")


def _refuse_unstorable(value: Any) -> None:
    # A loop and not a recursion: orjson lets pass deeper nesting than Python's stack.
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            _refuse_text(item)
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            todo += item
        elif isinstance(item, Invalid):
            raise item


def _refuse_text(text: str) -> None:
    if "\0" in text:
        raise _invalid("Text must not contain NUL (U+0000).", "string_nul")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _invalid("Text must not contain a lone surrogate.", "string_unicode")


def _refuse_long_numbers(body: bytes) -> None:
    _load(body, parse_int=_parse_whole)


def _parse_whole(text: str) -> int:
    # The length first: int() of a long text is slow, and refuses past 4,300 digits.
    if len(text) > _LONGEST or not _MIN <= int(text) <= _MAX:
        raise _invalid("A whole number must fit in 64 bits.", "int_size")
    return int(text)


def _invalid(msg: str, type: str) -> Invalid:
    return Invalid(FieldProblem(("body",), msg, type), code=ErrorCode.BODY_NOT_JSON)
