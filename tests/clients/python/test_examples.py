"""The callback pages of clients/python/examples, each a server of its own, as people are sent to them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import httpx
import pytest

from carillon_client import AppClient, PersonClient
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests.clients.live_stack import LiveStack

EXAMPLES = Path(__file__).parents[3] / "clients/python/examples"
COMMANDS = {
    "starlette": ["-m", "uvicorn", "starlette_callback:app", "--port"],
    "django": ["-W", "ignore", "django_callback.py", "runserver", "--noreload"],
}


@dataclass(frozen=True)
class Page:
    """A running example, and the app whose page it is."""

    url: str
    app: AppClient
    number: int


@pytest.fixture(scope="module", params=[*COMMANDS])
def page(request: pytest.FixtureRequest, live: LiveStack) -> Iterator[Page]:
    """Each example in turn, ready."""
    port = find_free_port()
    url, app_id = f"http://127.0.0.1:{port}", f"app_{uuid4().hex[:8]}"
    number, secret = live.new_app(app_id=app_id, callback_url=f"{url}/callback")
    environ = os.environ | {
        "CARILLON_URL": live.about["url"],
        "APP_ID": app_id,
        "APP_SECRET": secret,
        "OWN_HOSTS": "127.0.0.1",
        "DJANGO_SECRET_KEY": "of a test only",
    }
    command = [sys.executable, *COMMANDS[request.param], str(port)]
    with subprocess.Popen(command, cwd=EXAMPLES, env=environ) as process:
        try:
            assert wait_until(lambda: answers(url), seconds=60)
            with AppClient(live.about["url"], app_id, secret) as app:
                yield Page(url, app, number)
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether the page is there."""
    try:
        return httpx.get(url, timeout=5).status_code == 401
    except httpx.TransportError:
        return False


@pytest.fixture
def person(live: LiveStack, page: Page) -> dict[str, Any]:
    """Somebody with an account in the app."""
    new = live.new_person()
    live.add_account(app=page.number, user_id=new["id"])
    return new


def press(live: LiveStack, page: Page, person: dict[str, Any], *, target: str) -> str:
    """The address that the button of a new message leads to."""
    sent = page.app.send(
        receiver_id=person["id"], title="t", content="c", auto_sso=True, target_url=target, wait=10
    )
    with PersonClient(live.about["url"], person["token"]) as client:
        return client.get_callback_url(sent.id)


def test_a_button_signs_the_person_in(live: LiveStack, page: Page, person: dict[str, Any]) -> None:
    """The callback starts a session of the person, and goes on to where the button leads; the ticket is spent then."""
    target = f"{page.url}/requests/123"
    address = press(live, page, person, target=target)
    answer = httpx.get(address)
    assert answer.is_redirect
    assert answer.headers["Location"] == target
    cookie = answer.headers["Set-Cookie"]
    assert "httponly" in cookie.lower()
    assert "secure" in cookie.lower()
    cookies = {"Cookie": cookie.partition(";")[0]}
    assert f"Signed on as user{person['id']}." in httpx.get(target, headers=cookies).text
    assert httpx.get(target).status_code == 401
    again = httpx.get(address)
    assert (again.status_code, "Set-Cookie" in again.headers) == (403, False)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "https:evil.example",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:80@evil.example/",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1\\.evil.example/",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "http://[",
        "",
    ],
)
def test_a_foreign_next_is_not_gone_to(
    live: LiveStack, page: Page, person: dict[str, Any], target: str
) -> None:
    """Anybody can write a link to the page: a `next` on another host, however it is written, leads home."""
    query = parse_qs(urlsplit(press(live, page, person, target=f"{page.url}/x")).query)
    ticket = query["ticket"][0]
    answer = httpx.get(f"{page.url}/callback?ticket={ticket}&next={quote(target, safe='')}")
    assert answer.headers["Location"] == "/"


def test_nobody_comes_in_without_a_ticket(page: Page) -> None:
    """Without a ticket, or with one that is none, there is no session."""
    for query in ("", "?ticket=", "?ticket=abc", "?ticket=" + "x" * 300):
        answer = httpx.get(f"{page.url}/callback{query}")
        assert answer.status_code == 403, query
        assert "Set-Cookie" not in answer.headers
