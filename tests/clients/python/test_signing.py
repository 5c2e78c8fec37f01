"""Signatures of the SDK are those of the guide (contract §1)."""

import re
from pathlib import Path

import httpx
import pytest

from carillon_client import AppSignature
from carillon_client.signing import make_request_headers

pytestmark = pytest.mark.quick

GUIDE = (Path(__file__).parents[3] / "docs/api/integrate-an-app.md").read_text()
SECRET = "a secret for this example only"
NOW = 1773800000


def test_a_request_is_signed_as_the_guide_shows() -> None:
    """At the time of the guide's vector a request gets the vector's headers."""
    signature = AppSignature("leave", SECRET, clock=lambda: NOW)
    request = httpx.Request("GET", "https://messages.example.com/api/v1/broadcasts")
    signed = next(signature.auth_flow(request))
    vector = GUIDE.partition("| of the test vector |")[2].partition("\n\n")[0]
    assert signed.headers["X-Sign"] in vector
    assert signed.headers["X-Timestamp"] == str(NOW)


def test_version_2_covers_the_request_as_the_guide_shows() -> None:
    """The guide's request with its nonce has the guide's signature; another body or query has another."""
    url = "https://messages.example.com/api/v1/messages/?b=2&a=1"
    body = b'{"type": "NOTIFICATION"}'
    nonce = re.findall(r"^nonce: (\w+)$", GUIDE, re.MULTILINE)[0]

    def sign(url: str, body: bytes) -> str:
        request = httpx.Request("POST", url, content=body)
        secret = SECRET.encode()
        return make_request_headers(request, "leave", secret=secret, now=NOW, nonce=nonce)["X-Sign"]

    assert f"signed as\n`{sign(url, body)}`" in GUIDE
    assert sign(url, b"{}") not in GUIDE
    assert sign(url + "&c=3", body) not in GUIDE
