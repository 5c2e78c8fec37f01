"""Request bodies as JSON objects, strictly (contract §0, Strict input). Knows nothing of fields.

What PostgreSQL or JavaScript could not hold is refused here, wherever in the body it is, so that no
later floor has to think of it. Numbers that are not whole stay as they were written where an object is
stored as its text (contract §2): `orjson.Fragment` in place of a float.
"""

import hashlib
import json
import re
from typing import Any

import orjson

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
        value = _past_a_double(body)
        if value is None:
            raise _refused(f"The body is not valid JSON: {error.msg}", "json_invalid") from error
    if not isinstance(value, dict):
        raise _refused("The body must be a JSON object.", "object_type")
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
        and _may_lose(body, digits)
        and any(isinstance(one, dict | list) for one in found.values())
    ):
        found = _as_written(body)
    return found


def parse_apart(body: bytes, name: str) -> dict[str, Any]:
    """The same, but what `parse` would refuse in one item of the list `name` is that item's alone.

    In its place stands the Invalid. Raises Invalid for what is no JSON object with such a list.
    """
    try:
        return parse(body)
    except Invalid as whole:
        value = _lenient(body)
        items = value.get(name) if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise
        found = {**value, name: [_item(item) for item in items]}
        if not any(isinstance(item, Invalid) for item in found[name]):
            raise whole from None
        return found


def fingerprint(body: bytes) -> bytes:
    """A digest of the JSON value in `body`: key order, spaces and escapes make no difference.

    A number is what was written. What is nested too deeply to be written anew is known by its bytes.
    """
    try:
        value = _as_written(body) if _may_lose(body, body.translate(_DIGITS_AS_0)) else None
        text = orjson.dumps(
            orjson.loads(body) if value is None else value, option=orjson.OPT_SORT_KEYS
        )
    except (Invalid, TypeError, ValueError):
        text = body
    return hashlib.sha256(text).digest()


def _may_lose(body: bytes, digits: bytes) -> bool:
    """Whether a number may stand there that orjson does not write as it read it."""
    if b"0." in digits or b"0e" in digits or b"0E" in digits:
        return True
    return b"-0" in body and _MINUS_ZERO.search(body) is not None


def _as_written(body: bytes) -> Any:
    return _loads(body, parse_int=_int_as_written)


def _past_a_double(body: bytes) -> Any:
    """What orjson refuses for nothing but a number past a double; None for everything else."""
    digits = body.translate(_DIGITS_AS_0)
    # Without an exponent it takes more than 308 digits; anything else is not worth a second reading.
    if b"0e" not in digits and b"0E" not in digits and _PAST_A_DOUBLE not in digits:
        return None
    try:
        value = _as_written(body)
        _refuse_unstorable(value)
    except Invalid:
        return None
    return value


def _lenient(body: bytes) -> Any:
    """The value, with a refusal in the place of every number past 64 bits; None if it is not JSON."""
    try:
        return _loads(body, parse_int=_int_or_refusal)
    except Invalid:
        return None


def _item(item: Any) -> Any:
    try:
        _refuse_unstorable(item)
    except Invalid as refusal:
        return refusal
    return item


def _loads(body: bytes, **options: Any) -> Any:
    """Python's reading, as strict about the form as orjson's, but for lone surrogates."""
    try:
        text = body.decode()
        return json.loads(text, parse_float=_fragment, parse_constant=_constant, **options)
    except RecursionError as error:
        raise _refused("The body is nested too deeply.", "json_invalid") from error
    except ValueError as error:
        raise _refused("The body is not valid JSON.", "json_invalid") from error


def _fragment(text: str) -> orjson.Fragment:
    return orjson.Fragment(text.encode())


def _int_as_written(text: str) -> int | orjson.Fragment:
    return _fragment(text) if text == "-0" else _whole(text)


def _int_or_refusal(text: str) -> int | orjson.Fragment | Invalid:
    try:
        return _int_as_written(text)
    except Invalid as refusal:
        return refusal


def _constant(_text: str) -> Any:
    raise _refused("NaN and Infinity are not JSON.", "json_invalid")


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
        raise _refused("Text must not contain NUL (U+0000).", "string_nul")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _refused("Text must not contain a lone surrogate.", "string_unicode")


def _refuse_long_numbers(body: bytes) -> None:
    _loads(body, parse_int=_whole)


def _whole(text: str) -> int:
    # The length first: int() of a long text is slow, and refuses past 4,300 digits.
    if len(text) > _LONGEST or not _MIN <= int(text) <= _MAX:
        raise _refused("A whole number must fit in 64 bits.", "int_size")
    return int(text)


def _refused(msg: str, type: str) -> Invalid:
    return Invalid(FieldProblem(("body",), msg, type))
