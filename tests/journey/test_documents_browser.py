"""The pages on one port, in a real browser: a socket is opened from its page, and an app sends from the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Page, chromium, needs_chromium
from tests.journey.client import Client
from tests.services import Stack

pytestmark = [
    pytest.mark.parametrize("stack", [{}], indirect=True, ids=["valkey"], scope="session"),
    needs_chromium,
]

WATCH = """
window.wrong = [];
addEventListener("securitypolicyviolation", (event) => wrong.push(`${event.violatedDirective} ${event.blockedURI}`));
addEventListener("error", (event) => wrong.push(event.message || event.target.src || event.target.href), true);
"""
LOG = "document.querySelector('#log').innerText"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A browser that notes what a page may not do."""
    with chromium(tmp_path) as page:
        page.prepare(WATCH)
        yield page


def press(page: Page, id: str) -> None:
    """Press a button that is there to be pressed."""
    page.does(f"!document.querySelector('#{id}').hidden")
    page.run(f"document.querySelector('#{id}').click()")


def fill_in(page: Page, id: str, text: str) -> None:
    """Write into a field in place of what is there."""
    page.run(f"document.querySelector('#{id}').value = {json.dumps(text)}")


def test_frames_are_seen_as_they_come(
    stack: Stack, client: Client, people: tuple[int, int, int], page: Page
) -> None:
    """A person's socket opened on the page shows each frame; after a break it goes on behind the last, with nothing twice."""
    me, you, _ = people
    body = {"type": "MESSAGE", "receiver_id": you, "title": "私信", "content": "第一条"}
    page.go(f"{stack.url}/docs/socket")
    page.does("document.readyState === 'complete'")
    fill_in(page, "token", client.token(you))
    press(page, "connect")
    page.does(f"{LOG}.includes('HELLO')")
    with client.user(me) as sender:
        sender.post("/messages/", json=body)
        page.does(f"{LOG}.includes('第一条')")
        press(page, "ping")
        page.does(f"{LOG}.includes('pong')")
        press(page, "disconnect")
        page.does("document.querySelector('#result').innerText.includes('1000')")
        sender.post("/messages/", json=body | {"content": "第二条"}, headers={"Prefer": "wait=10"})
    press(page, "connect")
    page.does(f"{LOG}.includes('第二条')")
    assert page.value(f"{LOG}.split('第一条').length") == 2
    assert page.value("wrong") == []


def test_a_refused_token_is_said(
    stack: Stack, client: Client, people: tuple[int, int, int], page: Page
) -> None:
    """Without a token nothing is tried; a bad one is said to be refused, and a good one still works after it."""
    page.go(f"{stack.url}/docs/socket")
    page.does("document.readyState === 'complete'")
    result = "document.querySelector('#result')"
    press(page, "connect")
    page.does(f"{result}.className === 'bad'")
    fill_in(page, "token", "not.a.token")
    press(page, "connect")
    page.does(f"{result}.innerText.includes('carillon token --check')")
    fill_in(page, "token", client.token(people[0]))
    press(page, "connect")
    page.does(f"{result}.className === 'good'")


def test_the_start_page_knows_of_all_processes_on_the_port(stack: Stack, page: Page) -> None:
    """On the port that ingest and the gateway share, the start page says that both are ready, and leads to the documents."""
    page.go(f"{stack.url}/")
    page.does("document.querySelectorAll('b.yes').length === 2")
    page.run("document.querySelector('nav a[href^=\"docs/socket\"]').click()")
    page.does("location.pathname === '/docs/socket' && document.readyState === 'complete'")
    assert page.value("wrong") == []
