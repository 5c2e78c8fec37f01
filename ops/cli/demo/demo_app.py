"""The app that the example's buttons lead to: it verifies the ticket as a real app does, and says who signed on.

One small server on a port of this machine stands for all apps of the demo (contract §6).
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from carillon_client import CarillonError, RefusedError, VerifiedPerson
from ops.cli.demo.cast import CastApp
from ops.cli.identity.callers import open_app

PATH = "/callback/"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    # The ticket in the address is used up, and is nobody else's business all the same.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1.05rem/1.6 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.5rem}}
h1{{font-size:1.6rem}}dt{{opacity:.7}}dd{{margin:0 0 .6rem;font-weight:600;overflow-wrap:anywhere}}small{{opacity:.7}}</style></head>
<body><h1>{title}</h1>{body}<p><small>This is the app of <code>carillon demo --open</code>. It asked Carillon whose ticket this is
(POST /simple/sso/verify) and would open a session of its own now.</small></p></body></html>
"""


class DemoApp:
    """The server, at `address`; `apps` says who it is, and is to be filled before the first button is pressed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.apps: Mapping[str, CastApp] = {}
        app = self

        class Handler(BaseHTTPRequestHandler):
            """One request of a browser."""

            def do_GET(self) -> None:
                status, page = app.answer(self.path)
                self.send_response(status)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing: the address has a ticket in it."""

        # Port 0: one that is free.
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, target: str) -> tuple[HTTPStatus, str]:
        """The status and the page for this request target: who signed on, or why nobody did."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        app = self.apps.get(parts.path.removeprefix(PATH))
        if app is None or not parts.path.startswith(PATH):
            return HTTPStatus.NOT_FOUND, _render("没有这个页面 No such page", {})
        # Only the path: where it leads on to is in this app, whatever the address says.
        place = urlsplit(query.get("next", "")).path or "/"
        try:
            person = self._sign_on(app, query.get("ticket", ""), place)
        except RefusedError as error:
            title = "登录失败 Not signed on"
            return HTTPStatus.FORBIDDEN, _render(title, {"原因 Why": error.detail})
        except CarillonError as error:
            return HTTPStatus.BAD_GATEWAY, _render("Carillon?", {"原因 Why": error.detail})
        facts = {"登录为 Signed on as": f"{person.name} ({person.app_user_id})"}
        facts |= {"邮箱 Mail": str(person.mapped_email), "页面 Page": place}
        return HTTPStatus.OK, _render(app.app.name, facts)

    def _sign_on(self, app: CastApp, ticket: str, place: str) -> VerifiedPerson:
        """Whose ticket it is; what waits for them at `place` is done with that, and its card says so (contract §8)."""
        with open_app(self._url, app.app.app_id, secret=app.secret) as client:
            person = client.verify_ticket(ticket)
            # Refused if nothing waits there, or if it was done before.
            with suppress(RefusedError):
                client.change_by_ref(
                    place, expected_version=1, state="DONE", state_text=f"已由{person.name}处理"
                )
        return person


@contextmanager
def run_demo_app(url: str) -> Iterator[DemoApp]:
    """The demo app, which asks the API at `url`, on a free port of this machine until the end of the block."""
    app = DemoApp(url)
    thread = threading.Thread(target=app.server.serve_forever, name="demo app", daemon=True)
    thread.start()
    try:
        yield app
    finally:
        app.server.shutdown()
        app.server.server_close()
        thread.join()


def _render(title: str, facts: Mapping[str, str]) -> str:
    items = "".join(f"<dt>{escape(one)}</dt><dd>{escape(text)}</dd>" for one, text in facts.items())
    return _PAGE.format(title=escape(title), body=f"<dl>{items}</dl>")
