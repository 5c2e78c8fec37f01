"""Headers that say how a request wants to be treated."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ingest.http.request_headers import parse_idempotency_key, parse_wait, prefers_strict
from storage.model.caller import ORDINARY_USER, Person, UserCaller
from storage.model.errors import Invalid
from storage.model.send import IdempotencyKey

CALLER = UserCaller(Person(1, "", "", "", "ACTIVE", ORDINARY_USER, is_deleted=False))

pytestmark = [pytest.mark.quick, pytest.mark.pure]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"wait=5", 5),
        (b"wait=0", 0),
        (b"WAIT = 5", 5),
        (b'wait="5"', 5),
        (b"respond-async, wait=5", 5),
        (b"wait=5; x=y, return=minimal", 5),
        (b"wait=11", 10),
        (b"wait=999999", 10),
        (b"wait=-1", None),
        (b"wait=1.5", None),
        (b"wait", None),
        (b"wait=five", None),
        (b"wait=12345678901234567890", None),
        (b"", None),
        (b"handling=lenient", None),
    ],
)
def test_a_wait_is_capped_and_an_odd_one_ignored(header: bytes, seconds: int | None) -> None:
    """A preferred wait is ten seconds at most, and one that cannot be read is ignored (RFC 7240 §2)."""
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert parse_wait({b"prefer": header}) == expected


@pytest.mark.parametrize(
    ("header", "is_strict"),
    [
        (b"handling=strict", True),
        (b'wait=5 , Handling = "STRICT"; x=1', True),
        (b"handling=strict, handling=lenient", True),
        (b"handling=lenient, handling=strict", False),
        (b"handling=stricter", False),
        (b"handling", False),
        (b"wait=1", False),
        (b"", False),
    ],
)
def test_strict_handling_is_asked_for_by_its_word(header: bytes, *, is_strict: bool) -> None:
    """`handling=strict` counts in any spelling that RFC 7240 allows; of two words the first one counts (§2)."""
    assert prefers_strict({b"prefer": header}) is is_strict
    assert not prefers_strict({})


def key_of(headers: dict[bytes, bytes], **given: Any) -> IdempotencyKey | None:
    """The key, waited for."""
    return asyncio.run(parse_idempotency_key(headers, **given))


def test_a_key_is_the_callers_and_the_bodys() -> None:
    """The same key, caller, JSON value and kind of request give the same idempotency key; another of them does not."""
    given = {b"idempotency-key": b"k"}
    first = key_of(given, caller=CALLER, body=b'{"a":1,"b":"\\u4f60"}')
    again = key_of(given, caller=CALLER, body='{"b": "你", "a": 1}'.encode())
    other = key_of(given, caller=CALLER, body=b'{"a":2,"b":"\\u4f60"}')
    batch = key_of(given, caller=CALLER, body=b'{"a":1,"b":"\\u4f60"}', of="batch")
    assert first == again != other
    assert first != batch
    assert first is not None
    assert (first.caller, first.key) == ("user:1", "k")
    assert key_of({}, caller=CALLER, body=b"1") is None


@pytest.mark.parametrize("key", [b"", b"x" * 256])
def test_a_key_has_1_to_255_characters(key: bytes) -> None:
    """An Idempotency-Key that is empty or longer than 255 characters is Invalid (contract §2)."""
    with pytest.raises(Invalid):
        key_of({b"idempotency-key": key}, caller=CALLER, body=b"")
