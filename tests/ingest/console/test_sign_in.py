"""Signing in to the console and out of it: who gets in, how often it may be tried, and what the cookie is worth."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.requests import Request

from ingest.console import session
from ingest.console.visit import find_site
from ingest.settings import IngestSettings
from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.model.errors import InvalidSettings, OverLimit
from storage.postgres.console_sessions import SignInLimits, try_sign_in
from storage.settings import load
from tests.ingest.api_server import Api, run_api
from tests.ingest.console.pages import CHANGES, TOKEN
from tests.services import SECRETS

POSTS = ("broadcasts/1/cancel", "broadcasts/1/recall", "failed/1/drop", "failed/1/replay", "apps/7/rotate-secret")  # fmt: skip
GETS = ("look", "broadcasts", "failed", "apps", "people?q=person")


def test_a_short_token_is_refused_at_the_start() -> None:
    """The process does not start with an operator's token so short that it could be guessed."""
    with pytest.raises(InvalidSettings, match="CARILLON_CONSOLE_TOKEN: must have at least 16"):
        load(IngestSettings, {"CARILLON_CONSOLE_TOKEN": "short"})


def test_nothing_is_told_or_done_to_who_is_not_signed_in(console: Api) -> None:
    """Without a cookie, with an invented one and after signing out, every question and every action is 401."""
    valid = console.client.cookies[session.COOKIE]
    forged = ("", "x", f"{int(time.time()) + 99}.{'0' * 64}", valid[:-1] + "~", "9" + valid)
    for cookie in forged:
        headers = {"Cookie": f"{session.COOKIE}={cookie}"}
        console.client.cookies.clear()
        for path in GETS:
            assert console.client.get(f"/console/api/{path}", headers=headers).status_code == 401
        for path in POSTS:
            answer = console.client.post(f"/console/api/{path}", headers=CHANGES | headers)
            assert answer.status_code == 401
    assert console.ask("POST", "//console/api/logout", headers=CHANGES).status_code == 200


def test_a_wrong_token_does_not_sign_in_and_costs_a_second(console: Api) -> None:
    """A wrong token is answered after a second, and a body without end is not read."""
    console.client.cookies.clear()
    began = time.monotonic()
    answer = console.client.post("/console/api/login", content=TOKEN[:-1], headers=CHANGES)
    assert answer.status_code == 401
    assert time.monotonic() - began >= 1
    assert "set-cookie" not in answer.headers
    assert console.client.post("/console/api/login", content=TOKEN).status_code == 403
    long = TOKEN.ljust(100_000, " ")
    assert (
        console.client.post("/console/api/login", content=long, headers=CHANGES).status_code == 413
    )


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Api) -> None:
    """The cookie is HttpOnly, SameSite=Strict and the console's only; an action without the page's own header is 403."""
    answer = console.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/console"))
    assert "Secure" not in cookie
    for path in POSTS:
        assert console.client.post(f"/console/api/{path}").status_code == 403


def test_a_session_s_cookie_ends() -> None:
    """A cookie is worthless after its time and under another token, and names no session but its own."""
    vault = Vault(load(VaultSettings, SECRETS))
    key = session.derive_cookie_key(vault, TOKEN)
    value = session.make_cookie(key, "one", now=1000.0)
    end = 1000 + session.LIFETIME_SECONDS
    assert session.read_cookie(value, key, now=end - 1) == "one"
    assert session.read_cookie(value, key, now=end) is None
    other = session.derive_cookie_key(vault, TOKEN + "x")
    assert session.read_cookie(value, other, now=1000.0) is None
    later = f"{end + 99}.{value.partition('.')[2]}"
    another = value.replace(".one.", ".two.")
    for forged in (later, another, "", ".", "..", value[:-1], "٣.one." + value.rpartition(".")[2]):
        assert session.read_cookie(forged, key, now=1000.0) is None


def test_signing_out_ends_the_session_everywhere(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A copy of the cookie is worthless after signing out, in every ingest process; other sessions go on."""
    environ = {**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}
    with run_api(environ, engine) as one, run_api(environ, engine) as other:
        mine, theirs = sign_in(one), sign_in(other)
        assert look(one, mine) == look(other, mine) == look(one, theirs) == 200
        left = one.client.post(
            "/console/api/logout", headers=CHANGES | {"Cookie": f"{session.COOKIE}={mine}"}
        )
        assert left.status_code == 200
        assert "Max-Age=0" in left.headers["set-cookie"]
        assert look(one, mine) == look(other, mine) == 401
        assert look(one, theirs) == look(other, theirs) == 200
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT digest FROM console_sessions")).scalars().all()
    assert len(kept) == 1
    assert theirs.split(".")[1].encode() not in bytes(kept[0])


def sign_in(api: Api) -> str:
    """The value of a new session's cookie."""
    answer = api.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
    assert answer.status_code == 200
    api.client.cookies.clear()
    return str(answer.cookies[session.COOKIE])


def look(api: Api, cookie: str) -> int:
    """The status of a question with this cookie."""
    headers = {"Cookie": f"{session.COOKIE}={cookie}"}
    return api.client.get("/console/api/apps", headers=headers).status_code


def test_signing_in_is_limited_and_logged(
    own_environ: Mapping[str, str], engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """After ten attempts within five minutes an address is 429, in every ingest process; others may go on."""
    caplog.set_level(logging.INFO, logger="ingest.console")
    environ = {**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}
    with run_api(environ, engine) as one, run_api(environ, engine) as other:
        with ThreadPoolExecutor(4) as pool:
            guesses = [pool.submit(guess, api, "9.9.9.9") for api in [one, other] * 6]
            statuses = [guessing.result().status_code for guessing in guesses]
        assert sorted(statuses) == [401] * 10 + [429] * 2
        refused = guess(one, "9.9.9.9", TOKEN)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 400
        assert "too often" in refused.json()["detail"]
        assert guess(other, "8.8.8.8", TOKEN).status_code == 200
    told = [record.getMessage() for record in caplog.records if "console" in record.getMessage()]
    assert any("9.9.9.9 was refused: wrong token" in line for line in told)
    assert any("9.9.9.9 was refused: Signing in was tried too often" in line for line in told)
    assert any("The operator token signed in to the console from 8.8.8.8" in line for line in told)
    assert TOKEN not in caplog.text


def guess(api: Api, address: str, token: str = "a wrong token") -> httpx.Response:
    """An attempt to sign in from an address, as a trusted proxy says it."""
    headers = CHANGES | {"X-Forwarded-For": address}
    return api.client.post("/console/api/login", content=token, headers=headers)


def test_all_attempts_together_are_limited_too(engine: Engine) -> None:
    """When attempts from many addresses have used up the limit of all, nobody gets in until the window is over."""
    limits = SignInLimits(window=timedelta(seconds=1), of_one=2, of_all=4)
    with engine.begin() as connection:
        for number in range(4):
            try_sign_in(connection, f"192.0.2.{number}", limits=limits)
        with pytest.raises(OverLimit) as refused:
            try_sign_in(connection, "192.0.2.99", limits=limits)
    assert refused.value.retry_after_seconds == 1.0

    def may_try_again() -> bool:
        with engine.begin() as connection:
            try:
                try_sign_in(connection, "192.0.2.99", limits=limits)
            except OverLimit:
                return False
        return True

    assert wait_until(may_try_again, seconds=10)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM console_sign_ins")).scalar_one()
    assert kept <= limits.of_all


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_attempts_are_counted_by_site(host: str | None, address: str) -> None:
    """All addresses of one IPv6 network count as one, and all that is no address counts as one too."""
    client = None if host is None else (host, 1)
    assert find_site(Request({"type": "http", "headers": [], "client": client})) == address


def test_the_cookie_is_secure_where_a_trusted_proxy_says_https(console: Api) -> None:
    """Behind a proxy with TLS the cookie is Secure, so that it never travels in the clear."""
    headers = CHANGES | {"X-Forwarded-Proto": "https"}
    answer = console.client.post("/console/api/login", content=TOKEN, headers=headers)
    assert answer.headers["set-cookie"].endswith("; Secure")
