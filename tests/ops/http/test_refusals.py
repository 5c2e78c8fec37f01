"""What a server answers before any app: in the form of every error, and readable for a page of a listed origin."""

import asyncio
import json
from typing import Any

from ops.http.refusals import refuse_over_capacity
from storage.model.cross_origin import parse_origins

ORIGIN = b"https://app.example.com"


def refuse(**scope: Any) -> tuple[dict[bytes, bytes], Any]:
    """Headers and body of the answer to a request over capacity."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        await refuse_over_capacity({"headers": [], "state": {}, **scope}, asyncio.Queue().get, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 503
    return dict(sent[0]["headers"]), json.loads(sent[1]["body"])


def test_a_request_over_capacity_is_told_so_in_the_form_of_every_error() -> None:
    """503 with a sentence, its code, the request's id in body and header, and when to come back."""
    headers, body = refuse()
    assert list(body) == ["detail", "code", "request_id"]
    assert body["code"] == "TOO_MANY_CONNECTIONS"
    assert body["request_id"] == headers[b"x-request-id"].decode()
    assert int(headers[b"retry-after"]) > 0
    assert b"vary" not in headers


def test_a_page_of_a_listed_origin_can_read_it() -> None:
    """The list is the one that an app left in the state of its lifespan; another origin gets no header."""
    state = {"allowed_origins": parse_origins([ORIGIN.decode()])}
    headers, _ = refuse(headers=[(b"origin", ORIGIN)], state=state)
    assert headers[b"access-control-allow-origin"] == ORIGIN
    headers, _ = refuse(headers=[(b"origin", b"https://evil.test")], state=state)
    assert b"access-control-allow-origin" not in headers
    headers, _ = refuse(headers=[(b"origin", ORIGIN)])
    assert b"access-control-allow-origin" not in headers
