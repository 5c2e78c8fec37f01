"""Request ids and origins: what may be used as it came, and that an origin survives being a text."""

import pytest

from storage.model.origin import Origin, is_sane_request_id


@pytest.mark.parametrize("sent", [b"a", b"abc-1", b"4f9c/retry:2+x=_.", b"x" * 128])
def test_a_plain_request_id_is_used_as_it_came(sent: bytes) -> None:
    """Letters, digits and a few signs, up to 128 of them, are a sane X-Request-Id."""
    assert is_sane_request_id(sent)


@pytest.mark.parametrize(
    "sent", [b"", b"x" * 129, b"two words", b'a"b', b"a\nb", b"a\n", b"a;b", b"\xff", b"\0"]
)
def test_a_request_id_that_could_break_a_log_line_is_replaced(sent: bytes) -> None:
    """Spaces, quotes, ends of lines, bytes past ASCII and what is too long are not a sane X-Request-Id."""
    assert not is_sane_request_id(sent)


@pytest.mark.parametrize("origin", [Origin(), Origin("abc"), Origin("abc", "00-1-2-01")])
def test_an_origin_is_what_its_text_was_made_from(origin: Origin) -> None:
    """Reading the text of an origin gives the same request id and span again."""
    assert Origin.parse(origin.text) == origin
