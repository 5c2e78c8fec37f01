"""The pages that describe Carillon: what they link is there, in both languages, and nothing comes from elsewhere."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import Engine

from ingest.documents import pages
from ingest.documents.asyncapi import build_socket_document
from ingest.documents.pages import Deployment, Reader
from storage.model.close_codes import CloseCode
from tests.ingest.api_server import Api, run_api

PAGES = ("/", "/docs", "/docs/socket")


class Tags(HTMLParser):
    """The attributes of every tag of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append({"tag": tag, **dict(attrs)})


def list_addresses(page: str) -> Iterator[str]:
    """What a page links, loads or asks."""
    for tag in Tags(page).found:
        for name in ("href", "src", "data-asks"):
            if address := tag.get(name):
                yield address


@pytest.fixture(scope="module")
def with_console(shared_api: Api) -> Iterator[Api]:
    """A server with a console."""
    with run_api(
        {**shared_api.environ, "CARILLON_CONSOLE_TOKEN": "t" * 40}, shared_api.engine
    ) as api:
        yield api


def fetch(api: Api, path: str, *, language: str = "en") -> httpx.Response:
    """A page, as a browser of this language asks for it."""
    answer = api.client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_everything_that_a_page_links_is_there(
    with_console: Api, *, path: str, language: str
) -> None:
    """Links, files and what is asked of other paths lead somewhere, by relative addresses, and to no other host."""
    page = fetch(with_console, path, language=language)
    addresses = [*list_addresses(page.text)]
    assert len(addresses) >= 5
    for address in addresses:
        assert not address.startswith(("/", "http"))
        found = with_console.client.get(urljoin(path, address), follow_redirects=True)
        assert found.status_code == 200, address
    assert "://" not in page.text


def test_scripts_of_an_old_version_are_not_used(shared_api: Api) -> None:
    """A browser asks anew for the scripts and styles of our pages, and is answered 304 if it has them."""
    first = fetch(shared_api, "/docs/static/docs.js")
    assert first.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    assert shared_api.client.get("/docs/static/docs.js", headers=known).status_code == 304


def test_pages_know_both_languages(shared_api: Api) -> None:
    """A page comes in the browser's language, can be switched to the other, and links keep what was switched to."""
    assert '<html lang="zh">' in fetch(shared_api, "/", language="zh-CN").text
    english = fetch(shared_api, "/")
    assert '<html lang="en">' in english.text
    assert "?lang=zh" in english.text
    assert english.headers["Vary"] == "Accept-Language"
    switched = fetch(shared_api, "/?lang=zh")
    assert '<html lang="zh">' in switched.text
    assert 'href="docs?lang=zh"' in switched.text
    assert '<html lang="en">' in fetch(shared_api, "/?lang=<script>").text


@pytest.mark.parametrize("path", PAGES)
def test_pages_may_load_from_here_only(shared_api: Api, path: str) -> None:
    """The policy of a page lets it load from its own origin only, be framed by nobody and send forms nowhere."""
    headers = fetch(shared_api, path).headers
    policy = headers["Content-Security-Policy"]
    for part in (
        "default-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ):
        assert part in policy
    assert "unsafe-eval" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    scripts = [tag for tag in Tags(fetch(shared_api, path).text).found if tag["tag"] == "script"]
    assert all(tag["src"] for tag in scripts)


def test_the_start_page_links_what_is_there(shared_api: Api, with_console: Api) -> None:
    """The console is linked only where it is on, and the inbox only where it is mounted; the version is shown."""
    assert 'href="console/"' in fetch(with_console, "/").text
    without = fetch(shared_api, "/").text
    assert 'href="console/"' not in without
    assert "CARILLON_CONSOLE_TOKEN" in without
    assert 'href="inbox/"' not in without
    assert re.search(r"Version <code>\d+\.\d+", without)
    reader = Reader("en", has_asked=False)
    page = pages.render_home(reader, Deployment("1", has_console=True, has_inbox=True)).decode()
    assert 'href="inbox/"' in page


def test_the_page_of_the_socket_shows_its_document(shared_api: Api) -> None:
    """Every frame, field, close code and refusal of `/asyncapi.json` stands on the page."""
    page = fetch(shared_api, "/docs/socket").text
    document = build_socket_document()
    for name in document["components"]["messages"]:
        assert f'<h3 id="{name}">' in page
    fields = {
        field
        for schema in document["components"]["schemas"].values()
        for field in schema.get("properties", {})
    }
    assert all(re.search(rf"<code>(\w+\.)*{field}</code>", page) for field in fields)
    for code in CloseCode:
        assert f"<code>{int(code)}</code>" in page


def test_pages_need_no_database(own_environ: Mapping[str, str], engine: Engine) -> None:
    """While Valkey is away, so that the process is not ready, the pages are there all the same."""
    with run_api({**own_environ, "CARILLON_VALKEY_URL": "redis://127.0.0.1:1/0"}, engine) as api:
        for path in PAGES:
            fetch(api, path)
