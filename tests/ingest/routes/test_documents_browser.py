"""`/docs` in a real browser: the whole of our OpenAPI document is shown, and nothing but our server is asked."""

from pathlib import Path

from tests.browser import chromium, needs_chromium
from tests.ingest.api_server import Api

pytestmark = needs_chromium

# What the page's policy forbade, what failed, and which hosts were asked.
WATCH = """
window.wrong = [];
addEventListener("securitypolicyviolation", (event) => wrong.push(`${event.violatedDirective} ${event.blockedURI}`));
addEventListener("error", (event) => wrong.push(event.message || event.target.src || event.target.href), true);
"""
HOSTS = (
    "[...new Set(performance.getEntriesByType('resource').map((one) => new URL(one.name).host))]"
)
SHOWN = "document.querySelectorAll('.opblock').length"


def test_the_docs_show_every_operation(shared_api: Api, tmp_path: Path) -> None:
    """Each operation of the document has its block, one that is opened its fields, and no error is shown."""
    document = shared_api.ask("GET", "//openapi.json").json()
    assert document["openapi"].startswith("3.1")
    methods = ("get", "put", "post", "delete", "patch")
    operations = [o for path in document["paths"].values() for o in path if o in methods]
    with chromium(tmp_path) as page:
        page.prepare(WATCH)
        page.go(f"{shared_api.client.base_url}/docs")
        page.does(f"{SHOWN} === {len(operations)}", seconds=60)
        assert "Unable to render" not in page.value("document.body.innerText")
        assert page.value("document.querySelector('.info .title').innerText").startswith("Carillon")
        page.run(
            "[...document.querySelectorAll('.opblock-post .opblock-summary-path')]"
            ".find((one) => one.innerText.replaceAll('\\u200b', '') === '/api/v1/messages/')"
            ".closest('.opblock').querySelector('.opblock-summary-control').click()"
        )
        page.does("document.querySelector('.opblock.is-open .opblock-section-request-body')")
        page.does(
            "['receiver_id', 'Idempotency-Key', 'Retry-After'].every((word) => "
            "document.querySelector('.opblock.is-open').innerText.includes(word))"
        )
        assert page.value("wrong") == []
        assert page.value(HOSTS) == [shared_api.client.base_url.netloc.decode()]
