"""The pages in a real browser: everything is shown, calls are signed in the page, and nothing but our server is asked."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.axe import list_barriers
from tests.browser import Page, chromium, needs_chromium
from tests.ingest.api_server import SECRET, Api

pytestmark = needs_chromium

# What the page's policy forbade, what failed, which hosts were asked, and all that was sent.
WATCH = """
window.wrong = [];
addEventListener("securitypolicyviolation", (event) => wrong.push(`${event.violatedDirective} ${event.blockedURI}`));
addEventListener("error", (event) => wrong.push(event.message || event.target.src || event.target.href), true);
window.sent = [];
const send = window.fetch;
window.fetch = (...what) => { sent.push(JSON.stringify(what, (_, v) => v instanceof Headers ? [...v] : v)); return send(...what); };
"""
HOSTS = (
    "[...new Set(performance.getEntriesByType('resource').map((one) => new URL(one.name).host))]"
)
SHOWN = "document.querySelectorAll('.opblock').length"
KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
BLOCK = "document.querySelector('#operations-Apps_and_clients-send_message')"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A browser that watches what its pages do."""
    with chromium(tmp_path) as page:
        page.prepare(WATCH)
        yield page


def open_docs(page: Page, api: Api) -> None:
    """Open the page of the REST API, and wait until everything is shown."""
    document = api.ask("GET", "//openapi.json").json()
    count = sum(len(operations) for operations in document["paths"].values())
    page.go(f"{api.client.base_url}/docs")
    page.does(f"{SHOWN} === {count}", seconds=60)


def type_into(page: Page, selector: str, text: str) -> None:
    """Write into a field, as a person does."""
    page.run(f"document.querySelector({selector!r}).focus()")
    page.run(f"document.execCommand('insertText', false, {json.dumps(text)})")


def choose_caller(page: Page, kind: str) -> None:
    """Press the button of a kind of caller."""
    page.run(f"document.querySelector('[name=kind][value={kind}]').click()")


def check(page: Page) -> None:
    """Press the visible button that checks the caller."""
    page.run("[...document.querySelectorAll('#caller button')].find((b) => b.offsetParent).click()")


def send_example(page: Page, name: str) -> None:
    """Open the block of sending, choose one of its examples, and execute it."""
    page.run(f"{BLOCK}.querySelector('.opblock-summary-control').click()")
    page.does(f"{BLOCK}.querySelector('.try-out__btn')")
    page.run(f"{BLOCK}.querySelector('.try-out__btn').click()")
    page.does(f"{BLOCK}.querySelector('.examples-select-element')")
    page.run(
        f"{{ const choice = {BLOCK}.querySelector('.examples-select-element');"
        f" Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(choice, {name!r});"
        " choice.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    page.does(f"{BLOCK}.querySelector('.execute')")


def change_body(page: Page, old: str, new: str) -> None:
    """Change a text in the body that is about to be sent."""
    area = f"{BLOCK}.querySelector('textarea.body-param__text')"
    page.does(f"{area}.value.includes({json.dumps(old)})")
    page.run(
        f"{{ const area = {area};"
        " Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set"
        f".call(area, area.value.replace({json.dumps(old)}, {json.dumps(new)}));"
        " area.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    page.does(f"{area}.value.includes({json.dumps(new)})")


def execute(page: Page) -> str:
    """Press Execute; the status of the answer that is shown."""
    page.run(f"{BLOCK}.querySelector('.execute').click()")
    status = f"{BLOCK}.querySelector('.live-responses-table .response .response-col_status')"
    page.does(status)
    return str(page.value(f"{status}.innerText")).strip()


def test_the_docs_show_every_operation(shared_api: Api, page: Page) -> None:
    """Each operation of the document has its block, one that is opened its fields, and no error is shown."""
    open_docs(page, shared_api)
    assert "Unable to render" not in page.value("document.body.innerText")
    assert page.value("document.querySelector('.info .title').innerText").startswith("Carillon")
    page.run(f"{BLOCK}.querySelector('.opblock-summary-control').click()")
    page.does("document.querySelector('.opblock.is-open .opblock-section-request-body')")
    page.does(
        "['receiver_id', 'Idempotency-Key', 'Retry-After', 'receiver'].every((word) => "
        "document.querySelector('.opblock.is-open').innerText.includes(word))"
    )
    assert page.value("document.querySelectorAll('.authorize, .authorization__btn').length") == 0
    assert page.value("wrong") == []
    assert page.value(HOSTS) == [shared_api.client.base_url.netloc.decode()]


def test_an_app_sends_from_the_page(shared_api: Api, page: Page) -> None:
    """With an app's id and secret in the form, an example is sent and answered 200; the secret goes nowhere."""
    open_docs(page, shared_api)
    choose_caller(page, "app")
    type_into(page, "#app-id", "oa")
    type_into(page, "#secret", SECRET)
    check(page)
    page.does("document.querySelector('#result').className === 'good'")
    send_example(page, "notification")
    change_body(page, '"leave"', '"oa"')
    change_body(page, "leave.example.com", "oa.example.com")
    assert execute(page) == "200"
    sent = page.value("sent")
    assert any("X-Sign" in one or "x-sign" in one for one in sent)
    assert SECRET not in json.dumps(sent)
    assert SECRET not in page.value("document.body.innerText")
    assert SECRET not in page.value(KEPT)
    assert page.value("wrong") == []


def test_a_signature_is_of_the_moment(shared_api: Api, page: Page) -> None:
    """Every request is signed anew: when the clock has gone on, so has the timestamp."""
    open_docs(page, shared_api)
    choose_caller(page, "app")
    type_into(page, "#app-id", "oa")
    type_into(page, "#secret", SECRET)
    good = "document.querySelector('#result').className === 'good'"
    check(page)
    page.does(good)
    page.run("const real = Date.now; Date.now = () => real() + 60000; sent.length = 0")
    check(page)
    page.does("sent.length > 0")
    page.does(good)
    [request] = page.value("sent")
    timestamp = int(json.loads(request)[1]["headers"]["X-Timestamp"])
    assert timestamp > time.time() + 30


def test_a_person_sends_from_the_page(shared_api: Api, page: Page) -> None:
    """With a token in the form, a message is sent as that person; without one, the page asks for it."""
    open_docs(page, shared_api)
    choose_caller(page, "person")
    check(page)
    page.does("document.querySelector('#result').className === 'bad'")
    token = shared_api.person(1)["Authorization"].removeprefix("Bearer ")
    type_into(page, "#token", token)
    check(page)
    page.does("document.querySelector('#result').className === 'good'")
    send_example(page, "person")
    change_body(page, "31002", "2")
    assert execute(page) == "200"
    assert token not in page.value(KEPT)


def test_a_refusal_is_told_as_the_server_says_it(shared_api: Api, page: Page) -> None:
    """A wrong secret is told by status and sentence; the choice of nobody sends no signature."""
    open_docs(page, shared_api)
    choose_caller(page, "app")
    type_into(page, "#app-id", "oa")
    type_into(page, "#secret", "wrong")
    check(page)
    page.does("document.querySelector('#result').innerText.startsWith('401: ')")
    choose_caller(page, "nobody")
    send_example(page, "person")
    assert execute(page) == "401"
    assert "X-Sign" not in str(page.value("sent.at(-1)"))


def test_without_the_browsers_cryptography_the_page_says_so(shared_api: Api, page: Page) -> None:
    """Where a page may not sign (plain http of another host), the form says how to, and sends nothing."""
    page.prepare("Object.defineProperty(window, 'crypto', {value: {}})")
    open_docs(page, shared_api)
    page.run("sent.length = 0")
    choose_caller(page, "app")
    page.does("document.querySelector('#result').innerText.includes('localhost')")
    type_into(page, "#app-id", "oa")
    type_into(page, "#secret", SECRET)
    check(page)
    page.does("document.querySelector('#result').innerText.includes('carillon sign')")
    assert page.value("sent") == []


def test_the_start_page_tells_how_the_processes_are(shared_api: Api, page: Page) -> None:
    """The start page asks whether the processes are alive and ready, and says so beside the links."""
    page.go(f"{shared_api.client.base_url}/")
    page.does("document.querySelectorAll('b.yes').length === 2")
    assert page.value("wrong") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "docs/socket", "docs"])
def test_pages_are_for_everyone(shared_api: Api, page: Page, *, path: str, scheme: str) -> None:
    """Axe finds no barrier in our own parts, in the light and in the dark; on a phone no page is wider than the screen."""
    page.prefer(scheme=scheme)
    for language in ("en", "zh"):
        page.resize(390, 844)
        page.go(f"{shared_api.client.base_url}/{path}?lang={language}")
        page.does(
            f"document.documentElement.lang === '{language}' && document.readyState === 'complete'"
        )
        if path == "docs":
            page.does(f"{SHOWN} > 20", seconds=60)
            choose_caller(page, "app")
            page.run(f"{BLOCK}.querySelector('.opblock-summary-control').click()")
            page.does(f"{BLOCK}.querySelector('.responses-table')")
        assert page.value("document.documentElement.scrollWidth <= innerWidth")
        page.run(
            "document.querySelector('#swagger-ui')?.remove()"
        )  # Swagger UI's own is its makers' to mend
        assert list_barriers(page) == []
