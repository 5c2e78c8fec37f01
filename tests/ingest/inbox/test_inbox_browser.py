"""The committed page in a real browser, at both of its addresses: it runs under its policy, and signs demo people in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ingest.inbox import bundle
from ingest.inbox.demo_people import MEI
from tests.browser import Page, chromium, needs_chromium
from tests.builders import add_people
from tests.ingest.api_server import Api, run_api
from tests.ingest.inbox.conftest import DEMO

pytestmark = needs_chromium

# Everything that a browser complains about, from the first line of the page on.
NOTE_TROUBLE = """
window.trouble = [];
document.addEventListener("securitypolicyviolation", (event) => trouble.push(`${event.violatedDirective} ${event.blockedURI}`));
window.addEventListener("error", (event) => trouble.push(event.message || event.target.src || event.target.href), true);
window.addEventListener("unhandledrejection", (event) => trouble.push(String(event.reason)));
"""
SIGN_IN = "document.querySelector('carillon-sign-in')?.shadowRoot"


@pytest.fixture
def server(own_environ: dict[str, str], engine: Engine) -> Iterator[Api]:
    """A server with the committed page, whose demo person Mei is there."""
    assert bundle.has_page(), "make clients"
    with engine.begin() as connection:
        add_people(connection, [MEI.id])
    with run_api({**own_environ, **DEMO}, engine) as api:
        yield api


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A browser whose page notes its troubles."""
    with chromium(tmp_path) as page:
        page.prepare(NOTE_TROUBLE)
        yield page


@pytest.mark.parametrize("path", ["/inbox", "/inbox/"])
def test_the_page_runs_under_its_policy(server: Api, page: Page, path: str) -> None:
    """From both addresses the page finds its files, asks for its configuration and shows who may come in, without a complaint."""
    page.go(f"{server.client.base_url}{path}")
    page.does(f"{SIGN_IN}?.querySelectorAll('li button').length === 1")
    page.does(f"{SIGN_IN}.querySelector('img').naturalWidth > 0")
    assert page.value("getComputedStyle(document.body).margin") == "0px", "its style sheet is there"
    assert page.value("trouble") == []


@pytest.mark.parametrize("path", ["/inbox", "/inbox/"])
def test_a_demo_person_comes_in(server: Api, page: Page, path: str) -> None:
    """A press on the person's name signs them in, by a request that the server takes for the page's own."""
    page.go(f"{server.client.base_url}{path}")
    page.does(f"{SIGN_IN}?.querySelector('li button')")
    page.run(f"{SIGN_IN}.querySelector('li button').click()")
    page.does("document.querySelector('carillon-inbox')")
    page.does(
        "performance.getEntriesByName(new URL('/inbox/demo/sign-in', location).href)[0]?.responseStatus === 200"
    )


def test_an_address_with_a_demo_person_comes_in_at_once(server: Api, page: Page) -> None:
    """The address that `carillon demo --open` opens signs in and is plain afterwards; one that names somebody else does not."""
    page.go(f"{server.client.base_url}/inbox/?demo=1")
    page.does(f"{SIGN_IN}?.querySelector('li button')")
    assert page.value("location.search") == ""
    page.go(f"{server.client.base_url}/inbox/?demo={MEI.id}")
    page.does("document.querySelector('carillon-inbox')")
    assert page.value("location.search") == ""
