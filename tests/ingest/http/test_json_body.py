"""Bodies: what passes is exactly what Python's own parser makes of it."""

import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.http import json_body
from storage.model.errors import Invalid

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

pytestmark = [pytest.mark.quick, pytest.mark.pure]


@given(st.dictionaries(texts, values, max_size=3), st.booleans())
def test_what_is_sound_comes_through_unchanged(value: dict[str, Any], ascii_only: bool) -> None:
    """Sound JSON keeps its values, their types and the order of keys, however it was written."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    written = orjson.dumps(json_body.parse(body))
    assert json.dumps(json.loads(written)) == json.dumps(value)


@given(values, st.sampled_from(["\0", "a\0b"]))
def test_a_nul_anywhere_is_refused(value: Any, bad: str) -> None:
    """A NUL in a value or a key is Invalid, however deep it lies."""
    for broken in ({"a": [value, {"b": bad}]}, {bad: value}):
        with pytest.raises(Invalid):
            json_body.parse(json.dumps(broken).encode())


@given(st.integers(min_value=2**64) | st.integers(max_value=-(2**63) - 1))
def test_a_number_past_64_bits_is_refused(number: int) -> None:
    """A whole number past 64 bits is Invalid, however deep it lies."""
    with pytest.raises(Invalid):
        json_body.parse(json.dumps({"a": [{"b": number}]}).encode())


@given(st.binary())
def test_any_bytes_give_an_object_or_invalid(body: bytes) -> None:
    """Any bytes whatever are read as an object or are Invalid; there is no other error."""
    with contextlib.suppress(Invalid):
        assert isinstance(json_body.parse(body), dict)


NUMBERS = ["9" * 400 + ".5", "0.12345678901234567890123", "1e999", "-1E+400", "1.10", "-0", "-0.0", "1e5", "0.1e-400", "18446744073709551615"]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_within_objects_stay_as_written(number: str) -> None:
    """A number within an object keeps every digit past a double's precision, its exponent, and the minus of a zero."""
    for inner in ('{"n":%s}', '[%s,"x"]', '{"a":[{"b":%s}]}'):
        body = f'{{"content": {inner % number}, "more": "2026-01-01"}}'.encode()
        assert orjson.dumps(json_body.parse(body)["content"]).decode() == inner % number


@pytest.mark.parametrize(
    "bad", [b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b"+1", b".5", b"1e"]
)
def test_what_is_no_number_is_refused_beside_one_past_a_double(bad: bytes) -> None:
    """The second reading, for exponents that orjson has no room for, is as strict as the first."""
    for body in (b'{"a":[1e999,%b]}' % bad, b'{"a":[1.5,%b]}' % bad):
        with pytest.raises(Invalid):
            json_body.parse(body)


@pytest.mark.parametrize(
    "bad", [b'"\\ud800"', b'"\\u0000"', b'"\xff"', b'"\t"', b"1" * 5000, b"[" * 2000]
)
def test_the_second_reading_refuses_what_the_first_does(bad: bytes) -> None:
    """Lone surrogates, NUL, bytes that are not UTF-8, bare control characters, long numbers, depth."""
    with pytest.raises(Invalid):
        json_body.parse(b'{"a":[1e999,%b]}' % bad)


@given(st.dictionaries(texts, values, max_size=3), st.randoms())
def test_a_fingerprint_is_of_the_value(value: dict[str, Any], random: Any) -> None:
    """The order of keys, spaces and escapes make no difference to a fingerprint; another value does."""
    items = list(value.items())
    random.shuffle(items)
    one = json_body.fingerprint(json.dumps(value).encode())
    other = json_body.fingerprint(json.dumps(dict(items), ensure_ascii=False, indent=2).encode())
    assert one == other
    assert one != json_body.fingerprint(json.dumps({**value, "more": 1}).encode())


def test_a_fingerprint_tells_numbers_apart_that_a_double_does_not() -> None:
    """Numbers that are the same double have different fingerprints: a retry with another amount is another request."""
    bodies = [b'{"n":0.1234567890123456789}', b'{"n":0.1234567890123456788}', b'{"n":1e999}', b'{"n":1e998}']  # fmt: skip
    assert len({json_body.fingerprint(body) for body in bodies}) == 4


def test_a_fingerprint_of_deep_nesting_is_of_its_bytes() -> None:
    """A value that is nested too deeply to be written again has a fingerprint of its bytes."""
    for levels in (300, 2000):
        body, other = (b'{"a":' * levels + inner + b"}" * levels for inner in (b"1", b"2"))
        assert json_body.fingerprint(body) == json_body.fingerprint(body)
        assert json_body.fingerprint(body) != json_body.fingerprint(other)


ENTRIES = {
    "NUL": b'{"title":"\\u0000"}',
    "NUL in a key": b'{"a":{"\\u0000":1}}',
    "surrogate": b'{"title":"\\ud800"}',
    "long number": b'{"n":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("name", ENTRIES)
def test_what_is_wrong_in_one_item_is_that_items_alone(name: str) -> None:
    """A bad item of the list is refused alone, and the others come through as they are; without a list all is refused."""
    body = b'{"messages":[{"n":1.10},%b,null]}' % ENTRIES[name]
    first, second, third = json_body.parse_with_lenient_list(body, "messages")["messages"]
    assert orjson.dumps(first) == b'{"n":1.10}'
    assert isinstance(second, Invalid)
    assert third is None
    for other in (
        b'{"messages":1,"x":%b}',
        b'{"messages":[1],"x":%b}',
        b"[%b]",
        b'{"messages":[%b',
    ):
        with pytest.raises(Invalid):
            json_body.parse_with_lenient_list(other % ENTRIES[name], "messages")
