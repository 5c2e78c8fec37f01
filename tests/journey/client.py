"""A client written from the client document: REST with a token, a signature, or nothing; a socket."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from storage.keys.tokens import TokenSettings, issue_token
from storage.settings import load
from tests.services import Stack

# How long anything on the way may take on a busy machine before the test says that it is lost.
PATIENCE = 20.0


@dataclass(frozen=True)
class Socket:
    """An open message socket."""

    connection: ClientConnection

    def next(self) -> Any:
        """The next frame that is JSON; fails after PATIENCE."""
        while (frame := self.connection.recv(timeout=PATIENCE)) == "pong":
            pass
        return json.loads(frame)

    def next_message(self) -> Any:
        """The `data` of the next NEW_MESSAGE; other types are skipped, as clients do."""
        while (frame := self.next())["type"] != "NEW_MESSAGE":
            pass
        return frame["data"]


@dataclass(frozen=True)
class Client:
    """A person's or an app's client of a running stack; closes what it opened."""

    stack: Stack
    _opened: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def token(self, user_id: int) -> str:
        """A fresh token, as the deployment's identity provider would issue it."""
        settings = load(TokenSettings, self.stack.environ)
        return issue_token(settings, user_id, ttl_seconds=600, now=time.time())

    def user(self, user_id: int) -> httpx.Client:
        """A client of REST with a person's token."""
        return self._http({"Authorization": f"Bearer {self.token(user_id)}"})

    def app(self, app_id: str, secret: str) -> httpx.Client:
        """A client of REST that signs as an app."""
        timestamp = str(int(time.time()))
        signed = f"app_id={app_id}&timestamp={timestamp}".encode()
        sign = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return self._http({"X-App-Id": app_id, "X-Timestamp": timestamp, "X-Sign": sign})

    def _http(self, headers: dict[str, str]) -> httpx.Client:
        base = f"{self.stack.url}/api/v1"
        opened = httpx.Client(base_url=base, headers=headers, timeout=PATIENCE)
        self._opened.callback(opened.close)
        return opened

    @contextmanager
    def socket(self, user_id: int, *, since: str | None = None) -> Iterator[Socket]:
        """An open socket of a person, who comes back with the position `since`."""
        url = f"{self.stack.socket_url}?token={self.token(user_id)}"
        url += f"&since={since}" if since else ""
        with connect(url, open_timeout=PATIENCE, close_timeout=2) as connection:
            yield Socket(connection)
