"""What a handshake shows, and which pages may show it."""

import pytest

from push_gateway.authentication import Credential, check_origin, credential
from storage.model.errors import NotAllowed, NotSignedIn


@pytest.mark.parametrize(
    ("headers", "query", "subprotocols", "expected"),
    [
        ({"authorization": "Bearer a"}, {"token": "b"}, ["bearer", "c"], Credential(token="a")),
        ({"authorization": "bearer a"}, {}, [], Credential(token="a")),
        ({}, {"token": "b"}, ["bearer", "c"], Credential(token="c")),
        ({}, {"token": "b", "ticket": "d"}, ["chat"], Credential(token="b")),
        ({}, {"ticket": "d"}, [], Credential(ticket="d")),
        ({}, {"token": ""}, [], Credential(token="")),
        ({}, {}, ["bearer"], Credential(token="")),
    ],
)
def test_the_first_credential_counts(
    headers: dict[str, str], query: dict[str, str], subprotocols: list[str], expected: Credential
) -> None:
    """Header, subprotocol, token, ticket: the first that is there, even if it is bad."""
    assert credential(headers, query, subprotocols) == expected


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": ""}])
def test_without_a_credential_nobody_is_signed_in(headers: dict[str, str]) -> None:
    """Nothing at all, or a header of another scheme: NotSignedIn."""
    with pytest.raises(NotSignedIn):
        credential(headers, {}, [])


ALLOWED = ("https://app.example.com", "http://localhost:5173")


@pytest.mark.parametrize(
    "origin",
    [None, "https://app.example.com", "HTTPS://APP.example.com:443", "http://localhost:5173"],
)
def test_an_allowed_origin_may_open_a_socket(origin: str | None) -> None:
    """A listed origin in any spelling, or a client that is no browser."""
    check_origin(origin, allowed=ALLOWED)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://app.example.com",
        "https://app.example.com.evil.test",
        "https://evil.test",
        "https://app.example.com:8443",
        "https://[",
        "https://app.example.com:x",
    ],
)
def test_any_other_origin_may_not(origin: str) -> None:
    """Another scheme, host or port, `null` or nonsense: NotAllowed."""
    with pytest.raises(NotAllowed):
        check_origin(origin, allowed=ALLOWED)


def test_without_a_list_every_origin_may() -> None:
    """CARILLON_PUSH_ORIGINS not set: tokens decide alone."""
    check_origin("https://anything.test", allowed=())
