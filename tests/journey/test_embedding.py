"""The portal of the guide, in a real browser: another origin that puts the inbox on its page."""

from pathlib import Path

import pytest

from tests.browser import Page, chromium, needs_chromium, serve_folder
from tests.journey.client import Client
from tests.journey.guides import FOLDER, read_file
from tests.services import Stack

GUIDE = "embed-the-inbox.md"
SERVER = "https://messages.example.com"
NOTE_VIOLATIONS = (
    "window.violations = [];"
    "document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective + ' ' + event.blockedURI));"
)

on_valkey = pytest.mark.parametrize("stack", [{}], indirect=True, ids=["valkey"], scope="session")
pytestmark = [needs_chromium, on_valkey]


def write_portal(folder: Path, stack: Stack, *, token: str) -> None:
    """Write the files of the guide, for this stack, with the policy that the guide asks of a portal, and its token."""
    table = (FOLDER / GUIDE).read_text().partition("## If the portal has a")[2].partition("##")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    policy = ["default-src 'none'; style-src 'self'; font-src 'self'"]
    for names, sources in rows:
        policy += (f"{name} 'self' {sources.split('`')[1]}" for name in names.split("`")[1::2])
    meta = f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(policy)}">'
    html = read_file(GUIDE, "portal.html").replace("<head>", f"<head>{meta}")
    socket = stack.url.replace("http", "ws", 1)
    html = html.replace(SERVER.replace("https", "wss"), socket).replace(SERVER, stack.url)
    (folder / "portal.html").write_text(html)
    (folder / "portal.js").write_text(read_file(GUIDE, "portal.js"))
    (folder / "portal.css").write_text("carillon-inbox { display: block; height: 90vh; }")
    (folder / "message-token").write_text(token)


def find_text(page: Page, text: str) -> None:
    """Wait until the page shows this text, in whatever shadow root."""
    page.does(
        "(function has(root) { return root.textContent.includes(" + repr(text) + ")"
        " || [...root.querySelectorAll('*')].some((one) => one.shadowRoot && has(one.shadowRoot)); })(document.body)",
        seconds=30,
    )


def test_a_portal_of_another_origin_shows_the_inbox(
    stack: Stack, client: Client, people: tuple[int, int, int], tmp_path: Path
) -> None:
    """The guide's page shows what is there and what comes, counts it in its badge, and breaks no rule of its own policy."""
    me, you, _ = people
    portal, profile = tmp_path / "portal", tmp_path / "profile"
    portal.mkdir()
    profile.mkdir()
    write_portal(portal, stack, token=client.token(you))
    body = {"type": "MESSAGE", "receiver_id": you, "title": "私信"}
    with client.user(me) as sender, chromium(profile) as page, serve_folder(portal) as origin:
        sender.post("/messages/", json={**body, "content": "before it was opened"})
        page.prepare(NOTE_VIOLATIONS)
        page.go(f"{origin}/portal.html")
        find_text(page, "before it was opened")
        page.does("document.querySelector('#badge').textContent === '1'")
        sender.post("/messages/", json={**body, "content": "while one looks"})
        find_text(page, "while one looks")
        page.does("document.querySelector('#badge').textContent === '2'")
        assert page.value("violations") == []
