"""Bodies: what passes is exactly what Python's own parser makes of it."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import strict_json
from storage.model.errors import Invalid

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

pytestmark = pytest.mark.quick


@given(st.dictionaries(texts, values, max_size=3), st.booleans())
def test_what_is_sound_comes_through_unchanged(value: dict[str, Any], ascii_only: bool) -> None:
    """Values, types and the order of keys, however it was written."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert json.dumps(strict_json.parse(body)) == json.dumps(value)


@given(values, st.sampled_from(["\0", "a\0b"]))
def test_a_nul_anywhere_is_refused(value: Any, bad: str) -> None:
    """In a value or a key, at any depth."""
    for broken in ({"a": [value, {"b": bad}]}, {bad: value}):
        with pytest.raises(Invalid):
            strict_json.parse(json.dumps(broken).encode())


@given(st.integers(min_value=2**64) | st.integers(max_value=-(2**63) - 1))
def test_a_number_past_64_bits_is_refused(number: int) -> None:
    """At any depth."""
    with pytest.raises(Invalid):
        strict_json.parse(json.dumps({"a": [{"b": number}]}).encode())


@given(st.binary())
def test_any_bytes_give_an_object_or_invalid(body: bytes) -> None:
    """Never another error."""
    with contextlib.suppress(Invalid):
        assert isinstance(strict_json.parse(body), dict)
