"""A real ingest server for tests: uvicorn in a thread, callers of every kind, and a hand in the record."""

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine, select

from ingest.app import create_app
from ops.http.protocol import HttpProtocol
from ops.local.polling import wait_until
from storage.keys.tokens import TokenSettings, issue_token
from storage.postgres.messages import persistence
from storage.postgres.tables import accepted
from storage.settings import load

API = "/api/v1"
SECRET = "the secret of every app in these tests"


@dataclass(frozen=True)
class Api:
    """One running server; `ask` and its kin are blocking."""

    client: httpx.Client
    environ: Mapping[str, str]
    engine: Engine

    def person(self, user_id: int, *, ttl_seconds: float = 600) -> dict[str, str]:
        """The headers of a person's call."""
        settings = load(TokenSettings, self.environ)
        token = issue_token(settings, user_id, ttl_seconds=ttl_seconds, now=time.time())
        return {"Authorization": f"Bearer {token}"}

    def app(
        self, app_id: str = "oa", *, secret: str = SECRET, late_seconds: int = 0
    ) -> dict[str, str]:
        """The headers of an app's call, signed `late_seconds` ago."""
        timestamp = str(int(time.time()) - late_seconds)
        return {
            "X-App-Id": app_id,
            "X-Timestamp": timestamp,
            "X-Sign": sign(f"app_id={app_id}&timestamp={timestamp}", secret=secret),
        }

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; `path` below /api/v1 unless it starts with `//`."""
        url = path[1:] if path.startswith("//") else f"{API}{path}"
        return self.client.request(method, url, **options)

    def read(self, path: str, *, person: int = 1, **params: Any) -> Any:
        """The JSON of a person's GET, which must succeed."""
        answer = self.ask("GET", path, headers=self.person(person), params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, headers: Mapping[str, str], **body: Any) -> httpx.Response:
        """`POST /messages/` of a private message, changed by `body`."""
        message = {"type": "MESSAGE", "title": "私信", "content": "你好"} | body
        return self.ask("POST", "/messages/", headers=headers, json=message)

    def send_for_id(self, headers: Mapping[str, str], **body: Any) -> int:
        """Send as `send` does, which must succeed; the id of the message."""
        answer = self.send(headers, **body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def deliver(self) -> None:
        """Put everything that was accepted into the histories, as a worker would."""
        with self.engine.begin() as connection:
            persistence.persist(
                connection, connection.execute(select(accepted.c.id)).scalars().all()
            )


def sign(text: str, *, secret: str = SECRET) -> str:
    """An app's signature, as the client document's sample makes it."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@contextmanager
def run_api(environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with these settings, on a free port, until the end of the block."""
    config = uvicorn.Config(
        create_app(environ),
        port=0,
        http=HttpProtocol,
        ws="none",
        timeout_keep_alive=75,
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert wait_until(lambda: server.started or not thread.is_alive(), seconds=20)
        assert server.started, "it did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield Api(client, environ, engine)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
