"""How an app signs its calls (docs/api/integrate-an-app.md, Sign your calls), in both versions of the signature."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Generator
from typing import Literal

import httpx

SignatureVersion = Literal[1, 2]


def make_signed_text(app_id: str, timestamp: str) -> str:
    """What is signed in version 1."""
    return f"app_id={app_id}&timestamp={timestamp}"


def make_app_headers(app_id: str, secret: bytes, *, now: float) -> dict[str, str]:
    """The headers of version 1, which say that an app is calling at `now` (Unix seconds).

    The server takes them for minutes, so every request is to be signed anew.
    """
    timestamp = str(int(now))
    signed = make_signed_text(app_id, timestamp).encode()
    return {"X-App-Id": app_id, "X-Timestamp": timestamp, "X-Sign": _compute_hmac(secret, signed)}


def make_request_headers(
    request: httpx.Request, app_id: str, *, secret: bytes, now: float, nonce: str
) -> dict[str, str]:
    """The headers of version 2, which covers the whole request. `nonce`: 16 to 64 characters, another for every attempt."""
    path, _, query = request.url.raw_path.partition(b"?")
    digest = base64.b64encode(hashlib.sha256(request.content).digest()).decode()
    timestamp = str(int(now))
    signed = b"\n".join(
        (
            f"@method: {request.method}".encode(),
            b"@path: " + path,
            b"@query: " + b"&".join(sorted(query.split(b"&"))),
            f"content-digest: sha-256=:{digest}:".encode(),
            f"created: {timestamp}".encode(),
            f"keyid: {app_id}".encode(),
            f"nonce: {nonce}".encode(),
        )
    )
    return {
        "X-App-Id": app_id,
        "X-Timestamp": timestamp,
        "X-Sign-Version": "2",
        "X-Nonce": nonce,
        "Content-Digest": f"sha-256=:{digest}:",
        "X-Sign": _compute_hmac(secret, signed),
    }


class AppSignature(httpx.Auth):
    """Signs every request of an httpx client as an app's: `httpx.Client(auth=AppSignature("leave", secret))`."""

    requires_request_body = True

    def __init__(
        self,
        app_id: str,
        secret: str | bytes,
        *,
        version: SignatureVersion = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives the present time in Unix seconds."""
        self._app_id = app_id
        self._secret = secret.encode() if isinstance(secret, str) else secret
        self._version = version
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request; httpx calls this for every one."""
        request.headers.update(self._make_headers(request))
        yield request

    def _make_headers(self, request: httpx.Request) -> dict[str, str]:
        now = self._clock()
        if self._version == 1:
            return make_app_headers(self._app_id, self._secret, now=now)
        nonce = secrets.token_hex(16)
        return make_request_headers(
            request, self._app_id, secret=self._secret, now=now, nonce=nonce
        )


def _compute_hmac(secret: bytes, text: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
