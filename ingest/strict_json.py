"""Request bodies as JSON objects, strictly (contract §0, last rule). Knows nothing of fields.

What PostgreSQL or JavaScript could not hold is refused here, wherever in the body it is, so that no
later floor has to think of it.
"""

import json
import math
from typing import Any

import orjson

from storage.model.errors import FieldProblem, Invalid

# orjson reads a whole number past 64 bits as a float, silently. Only where so many digits stand
# together is the body read again. Every digit as 0, then a search: six times as fast as a pattern.
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
_MAYBE_PAST_64_BITS = b"0" * 19
_MAX, _MIN = 2**64 - 1, -(2**63)
_LONGEST = len(str(_MAX))


def parse(body: bytes) -> dict[str, Any]:
    """The object in `body`, keys in the caller's order; of a repeated key the last value.

    Raises Invalid for anything else: another kind of value, NaN, a lone surrogate, bytes that are not
    UTF-8, a NUL, a whole number past 64 bits, more than 1,000 levels.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refused(f"The body is not valid JSON: {error.msg}", "json_invalid") from error
    if not isinstance(value, dict):
        raise _refused("The body must be a JSON object.", "object_type")
    # A NUL can only come in as its escape: a bare one is not JSON.
    if b"\\u0000" in body:
        _refuse_nul(value)
    if _MAYBE_PAST_64_BITS in body.translate(_DIGITS_AS_0):
        _refuse_long_numbers(body)
    return value


def _refuse_nul(value: Any) -> None:
    # A loop and not a recursion: orjson lets pass deeper nesting than Python's stack.
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str) and "\0" in item:
            raise _refused("Text must not contain NUL (U+0000).", "string_nul")
        if isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            todo += item


def _refuse_long_numbers(body: bytes) -> None:
    try:
        json.loads(body, parse_int=_whole, parse_float=_real)
    except RecursionError as error:
        raise _refused("The body is nested too deeply.", "json_invalid") from error


def _whole(text: str) -> int:
    # The length first: int() of a long text is slow, and refuses past 4,300 digits.
    if len(text) > _LONGEST or not _MIN <= int(text) <= _MAX:
        raise _refused("A whole number must fit in 64 bits.", "int_size")
    return 0


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _refused("A number is too large.", "float_size")
    return number


def _refused(msg: str, type: str) -> Invalid:
    return Invalid(FieldProblem(("body",), msg, type))
