"""A page of another origin in a real browser: what a listed one can do, and that one which is not can do none of it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser import chromium, needs_chromium, serve_folder
from tests.journey.client import Client
from tests.services import Stack

HERE = Path(__file__).parent
# `make run` lists the names of one's own machine; this is an address of it that is none of them.
NOT_LISTED = "127.0.0.2"

on_valkey = pytest.mark.parametrize("stack", [{}], indirect=True, ids=["valkey"], scope="session")
pytestmark = [needs_chromium, on_valkey]


def try_all(stack: Stack, token: str, folder: Path, *, receiver: int, host: str) -> Any:
    """What came of everything that a client does, done by a page that `host` serves on a port of its own."""
    with chromium(folder) as page, serve_folder(HERE, host=host) as origin:
        page.go(f"{origin}/other_origin.html")
        page.does("typeof tryAll === 'function'")
        api = json.dumps(f"{stack.url}/api/v1/")
        page.run(f"tryAll({api}, {json.dumps(token)}, {receiver})")
        page.does("done.socket !== undefined", seconds=60)
        return page.value("done")


def test_a_page_of_a_listed_origin_does_what_a_client_does(
    stack: Stack, client: Client, people: tuple[int, int, int], tmp_path: Path
) -> None:
    """It calls with a token, sends, lists, uploads and downloads a file, opens a socket, and reads errors and their codes."""
    me, you, _ = people
    done = try_all(stack, client.token(me), tmp_path, receiver=you, host="127.0.0.1")
    assert done["unread"]["total"] == 0
    assert done["refused"]["code"] == "HEADER_MISSING"
    assert done["ticket"] == 200
    assert done["applied"] == "wait=10"
    assert [one["user_id"] for one in done["list"]] == [you]
    assert done["announced"]["upload"]["url"].startswith("/api/v1/")
    assert done["uploaded"] == 204
    assert done["sent"]["filename"] == "notes.txt"
    assert done["downloaded"] == "three words here"
    assert done["tooEarly"]["code"] == "LINK_NOT_VALID"
    assert done["socket"] == "HELLO"


def test_what_the_server_answers_before_the_applications_can_be_read(stack: Stack) -> None:
    """A request whose head is too large reaches no application; the page of a listed origin reads the 431 all the same."""
    listed = {"Origin": "http://localhost:3000", "X-Long": "x" * 70_000}
    answer = httpx.get(f"{stack.url}/healthz", headers=listed)
    assert answer.json()["code"] == "HEADERS_TOO_LARGE"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


def test_a_page_that_is_not_listed_can_do_nothing(
    stack: Stack, client: Client, people: tuple[int, int, int], tmp_path: Path
) -> None:
    """Each call fails in the browser, errors too, and the socket is refused; nothing was sent."""
    me, you, _ = people
    done = try_all(stack, client.token(me), tmp_path, receiver=you, host=NOT_LISTED)
    calls = ("unread", "refused", "ticket", "applied", "list", "announced")
    assert {done[name] for name in calls} == {"blocked: TypeError"}
    assert done["socket"] == "blocked"
    assert client.user(me).get("/messages/conversations").json() == []
