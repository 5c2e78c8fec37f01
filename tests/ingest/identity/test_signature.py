"""The test vector of `docs/api/integrate-an-app.md` (contract §1): commands sign so, and ingest accepts exactly that."""

import asyncio
import hashlib
import hmac
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from carillon_client.signing import make_app_headers, make_signed_text
from ingest.identity.authentication import CallerAuthenticator
from ingest.identity.signatures import make_signed_text as make_signed_text_2
from storage.model.caller import App, AppCaller
from storage.model.errors import NotSignedIn

pytestmark = pytest.mark.quick

GUIDE = Path(__file__).parents[3] / "docs/api/integrate-an-app.md"
NOW = 1773800000


def read_vector() -> dict[str, str]:
    """The rows of the guide's table of the test vector."""
    table = GUIDE.read_text().partition("| of the test vector |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| (.+?) \| `(.+)` \|$", table, re.MULTILINE))


class OneApp:
    """Look-ups that know one app."""

    def __init__(self, app_id: str, *, secret: str) -> None:
        app = App(1, app_id, "", "https://a.example.com/cb", (), True, "", "", None, None)
        self.apps = self
        self._known = SimpleNamespace(app=app, secrets=(secret.encode(),))

    async def find(self, name: str) -> Any:
        """The app of this name."""
        return self._known if name == self._known.app.app_id else None

    find_now = find


def authenticate(headers: dict[str, str], *, secret: str) -> Any:
    """Who is calling, at the moment of the vector."""
    lookups: Any = OneApp(headers["X-App-Id"], secret=secret)
    nobody: Any = None
    authenticator = CallerAuthenticator(
        nobody, lookups, nonces=nobody, window=timedelta(seconds=300), clock=lambda: NOW
    )
    raw = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def ask() -> Any:
        return await authenticator.authenticate(raw, {})

    return asyncio.run(ask())


def test_the_vector_is_what_our_code_computes() -> None:
    """The text that is signed and its signature are, to the letter, what the guide shows."""
    vector = read_vector()
    assert make_signed_text(vector["app id"], str(NOW)) == vector["text that is signed"]
    headers = make_app_headers(vector["app id"], vector["secret"].encode(), now=NOW)
    assert headers == {
        "X-App-Id": vector["app id"],
        "X-Timestamp": vector["`X-Timestamp`"],
        "X-Sign": vector["`X-Sign`"],
    }


def test_ingest_accepts_the_vector_and_nothing_near_it() -> None:
    """At the vector's time its headers are the app's call; with one digit or another secret they are nobody's."""
    vector = read_vector()
    headers = make_app_headers(vector["app id"], vector["secret"].encode(), now=NOW)
    caller = authenticate(headers, secret=vector["secret"])
    assert isinstance(caller, AppCaller)
    changed = headers["X-Sign"][:-1] + ("0" if headers["X-Sign"][-1] != "0" else "1")
    for wrong, secret in (
        ({"X-Sign": changed}, vector["secret"]),
        ({"X-Timestamp": str(NOW + 1)}, vector["secret"]),
        ({}, "another"),
    ):
        with pytest.raises(NotSignedIn):
            authenticate(headers | wrong, secret=secret)


def test_the_vector_of_version_2_is_what_ingest_computes() -> None:
    """The lines that the guide shows are those that ingest verifies, and their signature is the guide's."""
    text = GUIDE.read_text()
    lines = text.partition("```\n@method")[2].partition("\n```")[0]
    body = b'{"type": "NOTIFICATION"}'
    scope = {"method": "POST", "raw_path": b"/api/v1/messages/", "query_string": b"b=2&a=1"}
    signed = make_signed_text_2(
        scope,
        app_id=b"leave",
        timestamp=b"1773800000",
        nonce=b"5f3b0c9e2a7d4186",
        digest=hashlib.sha256(body).digest(),
    )
    assert signed.decode() == "@method" + lines
    secret = read_vector()["secret"].encode()
    assert hmac.new(secret, signed, hashlib.sha256).hexdigest() in text
