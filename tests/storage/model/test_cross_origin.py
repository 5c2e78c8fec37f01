"""Which origins may call: what a setting may list, and what that lets in."""

import pytest

from storage.model.cross_origin import LOOPBACK_ORIGINS, is_same_host, parse_origins
from storage.model.errors import InvalidSettings
from storage.settings import OriginSettings, load

LISTED = (
    "https://app.example.com",
    "http://localhost:*",
    "http://[::1]:*",
    "capacitor://localhost",
)


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "http://localhost",
        "http://localhost:1",
        "http://localhost:65535",
        "http://[::1]",
        "http://[::1]:5173",
        "capacitor://localhost",
    ],
)
def test_what_is_listed_is_allowed(origin: str) -> None:
    """An exact origin is, and every port of a host of one's own machine that is listed with `:*`."""
    assert parse_origins(LISTED).allow(origin.encode())


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "*",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com/",
        "https://app.example.com.evil.test",
        "https://evil.test#https://app.example.com",
        "https://localhost:1",
        "http://localhost:1:2",
        "http://localhost:",
        "http://localhost.evil.test",
        "http://127.0.0.1:1",
        "http://[::1]:x",
        "http://[::2]:5173",
        "capacitor://localhost:1",
    ],
)
def test_nothing_else_is_allowed(origin: str) -> None:
    """Another scheme, host or port is another origin; so is anything that is none."""
    assert not parse_origins(LISTED).allow(origin.encode())


def test_the_usual_port_and_capitals_make_no_difference_in_the_list() -> None:
    """A person may write `HTTPS://App.example.com:443`; a browser sends the short form in small letters."""
    assert parse_origins(["HTTPS://App.example.com:443"]).allow(b"https://app.example.com")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("*", "would let in every page"),
        ("null", "would let in every page"),
        ("https://app.example.com/", "a path or a slash at the end"),
        ("https://app.example.com/inbox", "a path or a slash at the end"),
        ("app.example.com", "is no origin"),
        ("https://*.example.com", "is no origin"),
        ("https://user@app.example.com", "is no origin"),
        ("https://app.example.com:*", "for localhost, 127.0.0.1 and [::1] only"),
        ("https://例子.cn", "punycode"),
    ],
)
def test_a_text_that_is_no_origin_is_refused_at_the_start(text: str, sentence: str) -> None:
    """The setting says what is wrong, and names the variable and the text."""
    with pytest.raises(InvalidSettings) as caught:
        load(OriginSettings, {"CARILLON_ORIGINS": f"https://ok.example.com, {text}"})
    assert sentence in caught.value.detail
    assert "CARILLON_ORIGINS" in caught.value.detail
    assert text in caught.value.detail


def test_without_a_list_no_origin_is_allowed() -> None:
    """CARILLON_ORIGINS not set: no page of another origin gets a header that lets it read an answer."""
    allowed = load(OriginSettings, {}).allowed
    assert allowed.build_headers(b"http://localhost:3000") == [(b"vary", b"Origin")]


def test_the_origins_of_ones_own_machine_are_all_its_names() -> None:
    """What `make run` lists lets in pages of localhost in every spelling, on any port, and of no other host."""
    allowed = parse_origins(LOOPBACK_ORIGINS)
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert allowed.allow(f"http://{host}:3000".encode())
        assert allowed.allow(f"https://{host}".encode())
    assert not allowed.allow(b"http://192.168.1.2:3000")


@pytest.mark.parametrize(
    ("origin", "host", "is_same"),
    [
        (b"https://a.example.com", b"a.example.com", True),
        (b"https://a.example.com", b"a.example.com:443", True),
        (b"http://a.example.com:8000", b"A.example.com:8000", True),
        (b"http://a.example.com:8000", b"a.example.com", False),
        (b"http://a.example.com", b"b.example.com", False),
        (b"null", b"null", False),
        (b"http://a.example.com", b"", False),
        (b"\xff", b"\xff", False),
    ],
)
def test_a_page_of_the_same_host_is_ours(origin: bytes, host: bytes, *, is_same: bool) -> None:
    """Host and port have to be those of the header `Host`; the scheme's usual port may be left out."""
    assert is_same_host(origin, host) is is_same
