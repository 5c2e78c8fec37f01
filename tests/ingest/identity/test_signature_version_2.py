"""Signatures that cover the whole request, and calls bound to networks (contract §1), on a real server."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from ops.local.polling import wait_until
from storage.postgres.tables import apps
from tests.ingest.api_server import API, Api, run_api, sign

SEND = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}


@dataclass
class Call:
    """One signed request. What is changed after `sign_now` is not covered by its signature."""

    method: str = "POST"
    path: str = f"{API}/messages/"
    query: str = ""
    body: bytes = json.dumps(SEND).encode()
    app_id: str = "oa"
    headers: dict[str, str] = field(default_factory=dict)

    def sign_now(self, *, now: float | None = None, nonce: str = "") -> "Call":
        """Sign it in version 2, as it is."""
        digest = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
        timestamp, nonce = str(int(now or time.time())), nonce or secrets.token_urlsafe(16)
        text = "\n".join(
            (
                f"@method: {self.method}",
                f"@path: {self.path}",
                f"@query: {'&'.join(sorted(self.query.split('&')))}",
                f"content-digest: sha-256=:{digest}:",
                f"created: {timestamp}",
                f"keyid: {self.app_id}",
                f"nonce: {nonce}",
            )
        )
        self.headers = {
            "X-App-Id": self.app_id,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Sign-Version": "2",
            "X-Sign": sign(text),
            "Content-Digest": f"sha-256=:{digest}:",
            "Content-Type": "application/json",
        }
        return self

    def send(self, api: Api, **headers: str) -> httpx.Response:
        """Send it with these headers changed."""
        url = self.path + (f"?{self.query}" if self.query else "")
        return api.client.request(
            self.method, url, content=self.body, headers=self.headers | headers
        )


def change_app(engine: Engine, **values: Any) -> None:
    """Change the app oa, as the operator's command does."""
    with engine.begin() as connection:
        connection.execute(update(apps).where(apps.c.app_id == "oa").values(values))


def ask_in_version_1(api: Api) -> httpx.Response:
    """A call as every app has always made it."""
    return api.ask("GET", "/broadcasts?limit=1", headers=api.app("oa"))


def test_a_signed_request_is_the_apps(api: Api) -> None:
    """A send and a read that are signed in version 2 are the app's."""
    assert Call().sign_now().send(api).status_code == 200
    listing = Call("GET", f"{API}/broadcasts", "limit=1", b"").sign_now()
    assert listing.send(api).status_code == 200


def test_parameters_may_change_places_on_the_way(api: Api) -> None:
    """A query's parameters are signed in the order of their bytes, so a framework may write them in any order."""
    call = Call("GET", f"{API}/broadcasts", "limit=1&status=DONE", b"").sign_now()
    call.query = "status=DONE&limit=1"
    assert call.send(api).status_code == 200


CHANGES: dict[str, Mapping[str, Any]] = {
    "another path": {"path": f"{API}/messages"},
    "another query": {"query": "limit=2"},
    "another app": {"app_id": "other"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_signed_cannot_be_used_for_another_request(api: Api, name: str) -> None:
    """A signature is good for its own path, query and app only."""
    call = Call().sign_now()
    for attribute, value in CHANGES[name].items():
        setattr(call, attribute, value)
    answer = call.send(api, **({"X-App-Id": "other"} if name == "another app" else {}))
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_SIGNED_IN")


def test_a_signature_is_good_for_its_own_method(api: Api) -> None:
    """A signed read of a message is no signed recall of it."""
    id = api.send_for_id(api.app("oa"), **SEND)
    call = Call("GET", f"{API}/messages/{id}", "", b"").sign_now()
    call.method = "DELETE"
    assert call.send(api).status_code == 401
    call.method = "GET"
    assert call.send(api).status_code == 200


@pytest.mark.parametrize("header", ["X-Nonce", "X-Timestamp", "Content-Digest"])
def test_every_header_that_is_signed_counts(api: Api, header: str) -> None:
    """With another nonce, time or digest the signature is nobody's."""
    call, other = Call().sign_now(now=time.time() - 5), Call(body=b"{}").sign_now()
    answer = call.send(api, **{header: other.headers[header]})
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_SIGNED_IN")


@pytest.mark.parametrize("body", [b"", b"{}", json.dumps(SEND | {"content": "C"}).encode()])
def test_another_body_is_refused(api: Api, body: bytes) -> None:
    """A body that was changed on the way is not sent, and the answer says why."""
    call = Call().sign_now()
    call.body = body
    answer = call.send(api)
    assert (answer.status_code, answer.json()["code"]) == (401, "BODY_NOT_SIGNED")


def test_a_body_without_a_digest_is_refused(api: Api) -> None:
    """Without Content-Digest the signature covers an empty body."""
    call = Call(body=b"").sign_now()
    del call.headers["Content-Digest"]
    call.body = json.dumps(SEND).encode()
    answer = call.send(api)
    assert (answer.status_code, answer.json()["code"]) == (401, "BODY_NOT_SIGNED")


def test_a_request_works_once(api: Api) -> None:
    """Of one signed request that comes many times at once, one is taken; no other app is concerned by its nonce."""
    call = Call().sign_now()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call.send(api), range(8)))
    assert sorted(one.status_code for one in answers) == [200] + [401] * 7
    assert {one.json().get("code") for one in answers} == {None, "NONCE_USED"}


def test_a_refused_request_uses_up_no_nonce(api: Api) -> None:
    """Somebody who can see a nonce but not sign cannot use it up."""
    call = Call().sign_now()
    assert call.send(api, **{"X-Sign": "0" * 64}).status_code == 401
    assert call.send(api).status_code == 200


MALFORMED = {
    "X-Sign-Version": "3",
    "X-Nonce": "short",
    "X-Sign": "zz",
    "Content-Digest": "sha-512=:AAAA:",
}


@pytest.mark.parametrize("header", MALFORMED)
def test_a_header_of_the_wrong_form_is_named(api: Api, header: str) -> None:
    """The answer to a header that cannot be read names it."""
    answer = Call().sign_now().send(api, **{header: MALFORMED[header]})
    assert (answer.status_code, answer.json()["code"]) == (401, "HEADER_MALFORMED")
    assert header in answer.json()["detail"]


def test_a_missing_nonce_is_named(api: Api) -> None:
    """The answer to a request of version 2 without a nonce names the header."""
    call = Call().sign_now()
    del call.headers["X-Nonce"]
    answer = call.send(api)
    assert (answer.status_code, answer.json()["code"]) == (401, "HEADER_MISSING")
    assert "X-Nonce" in answer.json()["detail"]


def test_an_app_may_have_to_sign_so(api: Api, engine: Engine) -> None:
    """Version 1 is refused from an app that must sign in version 2, and only who has the secret is told why."""
    change_app(engine, signature_version=2)
    assert wait_until(lambda: ask_in_version_1(api).status_code == 401, seconds=10)
    assert ask_in_version_1(api).json()["code"] == "SIGNATURE_VERSION"
    assert Call().sign_now().send(api).status_code == 200
    stranger = api.app("oa", secret="another")
    assert api.ask("GET", "/broadcasts", headers=stranger).json()["code"] == "NOT_SIGNED_IN"


def test_without_valkey_a_replay_cannot_be_excluded(
    api: Api, environ: Mapping[str, str], engine: Engine
) -> None:
    """Without Valkey an app that must sign in version 2 gets 503, and another's request passes and is counted."""
    away = {**environ, "CARILLON_VALKEY_URL": "redis://127.0.0.1:1/0"}
    with run_api(away, engine) as alone:
        assert Call().sign_now().send(alone).status_code == 200
        assert "carillon_nonces_unchecked_total 1.0" in alone.ask("GET", "//metrics").text
        change_app(engine, signature_version=2)
        assert wait_until(lambda: ask_in_version_1(alone).status_code == 401, seconds=10)
        answer = Call().sign_now().send(alone)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_calls_may_be_bound_to_networks(api: Api, engine: Engine) -> None:
    """From outside of its networks an app's call is 403, but only to who can sign."""
    change_app(engine, allowed_networks=["10.0.0.0/8"])
    assert wait_until(lambda: ask_in_version_1(api).status_code == 403, seconds=10)
    assert ask_in_version_1(api).json()["code"] == "ADDRESS_NOT_ALLOWED"
    stranger = api.app("oa", secret="another")
    assert api.ask("GET", "/broadcasts", headers=stranger).status_code == 401
    change_app(engine, allowed_networks=["10.0.0.0/8", "127.0.0.0/8"])
    assert wait_until(lambda: ask_in_version_1(api).status_code == 200, seconds=10)
