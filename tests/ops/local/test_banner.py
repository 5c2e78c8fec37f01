"""What `carillon up` says when the stack is up: lines that work when they are pasted."""

import shlex
from pathlib import Path

import pytest

from ops.local.banner import write_banner
from storage.model.caller import ACTIVE, ORDINARY_USER, Person

pytestmark = pytest.mark.quick

LI = Person(2048, "1", "李四", "lisi", ACTIVE, ORDINARY_USER, is_deleted=False)


def banner(person: Person | None = None, **settings: str) -> str:
    """The banner of a stack with these settings."""
    return write_banner(
        {"CARILLON_DATA_DIR": "/a folder/.carillon"} | settings, seconds=1.0, person=person
    )


def commands(text: str) -> list[list[str]]:
    """The words of its commands, as a shell reads them."""
    return [shlex.split(line) for line in text.splitlines() if line.startswith("    ")]


def test_every_command_has_its_whole_path() -> None:
    """Each command can be run in any folder: the first one says which stack is meant, the others exist."""
    first, *others = commands(banner(LI))
    assert first == ["export", "CARILLON_DATA_DIR=/a folder/.carillon"]
    assert len(others) > 3
    for words in others:
        assert Path(words[0]).is_absolute()
        assert Path(words[0]).exists()


def test_only_a_person_who_exists_is_named() -> None:
    """The token in the example is that of somebody who is there; while nobody is, no token is offered."""
    assert [words[-1] for words in commands(banner(LI)) if words[-2:-1] == ["token"]] == ["2048"]
    assert not [words for words in commands(banner()) if "token" in words]


def test_urls_of_an_ipv6_address_have_brackets() -> None:
    """An IPv6 address stands in brackets in every URL (RFC 3986)."""
    text = banner(LI, CARILLON_HOST="::1", CARILLON_PORT="8005")
    assert "http://[::1]:8005/api/v1" in text
    assert "ws://[::1]:8005/api/v1/ws/messages" in text
    assert "http://::1" not in text


def test_a_stack_for_everybody_says_where_it_is_reached_from_outside() -> None:
    """0.0.0.0 is not an address to go to: this machine uses 127.0.0.1, others the addresses that are listed."""
    text = banner(CARILLON_HOST="0.0.0.0", CARILLON_PORT="8005")
    assert "http://127.0.0.1:8005/api/v1" in text
    assert "0.0.0.0" not in text
    assert "outside  " not in banner(CARILLON_HOST="127.0.0.1")


def test_the_name_that_was_chosen_is_kept() -> None:
    """`localhost` stays `localhost`, and a public URL is shown beside it."""
    text = banner(CARILLON_HOST="localhost", CARILLON_PUBLIC_URL="https://messages.example.com")
    assert "http://localhost:8000/api/v1" in text
    assert "https://messages.example.com" in text


def test_the_inbox_is_named_where_there_is_one() -> None:
    """The banner says where the inbox is and how it is filled, unless it is switched off."""
    text = banner(LI, CARILLON_INBOX="on")
    assert "http://127.0.0.1:8000/inbox\n" in text
    assert ["demo", "--open"] in [words[1:] for words in commands(text)]
    assert "inbox" not in banner(LI, CARILLON_INBOX="off")
    assert "inbox" not in banner(LI)
