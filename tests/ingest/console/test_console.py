"""The console's server side: who is let in, what it tells, what it does."""

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.requests import Request

from ingest.console import session
from ingest.console.sign_in import find_address
from ingest.settings import IngestSettings
from ops.local.polling import wait_until
from storage.model.broadcast import BroadcastStatus
from storage.model.errors import InvalidSettings, OverLimit
from storage.model.message import MessageStatus
from storage.postgres.broadcasts import reports
from storage.postgres.console_sessions import SignInLimits, try_sign_in
from storage.postgres.messages import lookup, persistence
from storage.postgres.people.people_import import NewPerson, import_people
from storage.postgres.sends import failed_sends
from storage.settings import load
from tests.builders import a_broadcast, a_send, accept
from tests.ingest.running import Api, running

TOKEN = "the operator's token of these tests"
CHANGES = {"X-Carillon-Console": "1"}
POSTS = ("broadcasts/1/cancel", "broadcasts/1/recall", "failed/1/drop", "failed/1/replay", "apps/7/rotate-secret")  # fmt: skip
GETS = ("look", "broadcasts", "failed", "apps", "people?q=person")


@pytest.fixture
def console(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with a console, and a client that is signed in."""
    with running({**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}, engine) as api:
        answer = api.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
        assert answer.status_code == 200
        yield api


def get(api: Api, path: str) -> httpx.Response:
    """Ask what the page asks."""
    return api.client.get(f"/console/api/{path}")


def post(api: Api, path: str) -> httpx.Response:
    """Do what the page does."""
    return api.client.post(f"/console/api/{path}", headers=CHANGES)


def bury(engine: Engine) -> int:
    """A send that failed five times; its id."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send(title="private"))
        connection.execute(
            text(
                "WITH gone AS (DELETE FROM accepted WHERE id = :id RETURNING *) "
                "INSERT INTO failed_sends (id, payload, error, attempts) "
                "SELECT id, to_jsonb(gone), 'It is poison.', 5 FROM gone"
            ),
            {"id": id},
        )
    return id


def test_without_a_token_there_is_no_console(api: Api) -> None:
    """Every path of it is as if it were not there."""
    paths = ("/console", "/console/", "/console/static/console.js", "/console/api/look")
    assert {api.client.get(path).status_code for path in paths} == {404}
    assert api.client.post("/console/api/login", content="", headers=CHANGES).status_code == 404


def test_a_short_token_is_refused_at_the_start() -> None:
    """It could be guessed."""
    with pytest.raises(InvalidSettings, match="CARILLON_CONSOLE_TOKEN: must have at least 16"):
        load(IngestSettings, {"CARILLON_CONSOLE_TOKEN": "short"})


def test_odd_ids_and_texts_are_422(console: Api) -> None:
    """Thousands of digits, numbers past 64 bits, NUL: never 500, whatever the page is made to ask."""
    for id in (
        "9" * 5000,
        "0" * 5000,
        "0" * 25 + "9" * 25,
        str(2**63),
        "x",
        "-1",
        "1.0",
        "%00",
        "٣",
    ):
        for deed in ("broadcasts/{}/cancel", "broadcasts/{}/recall", "failed/{}/drop", "failed/{}/replay", "apps/{}/rotate-secret"):  # fmt: skip
            assert post(console, deed.format(id)).status_code in (404, 422), (deed, id[:9])
        for question in ("broadcasts", "failed"):
            assert get(console, f"{question}?before_id={id}").status_code == 422, (question, id[:9])
    assert get(console, "people?q=%00").status_code == 422
    assert get(console, "people?q=" + "9" * 5000).status_code == 422
    assert get(console, "people?q=%ED%A0%80").status_code == 200
    assert post(console, f"apps/{2**40}/rotate-secret").status_code == 404
    assert 'status="500"' not in console.client.get("/metrics").text


def test_nothing_is_told_or_done_to_who_is_not_signed_in(console: Api) -> None:
    """Without a cookie, with somebody's invention, and after signing out."""
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
    """A guess is answered late; a body without end is not read."""
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
    """HttpOnly, SameSite=Strict, for the console only; and no change without the header of its own."""
    answer = console.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/console"))
    assert "Secure" not in cookie
    for path in POSTS:
        assert console.client.post(f"/console/api/{path}").status_code == 403


def test_a_session_s_cookie_ends() -> None:
    """By its time, and by another token; and it names no session but its own."""
    value = session.make_cookie(TOKEN, "one", now=1000.0)
    end = 1000 + session.LIFETIME_SECONDS
    assert session.read_cookie(value, TOKEN, now=end - 1) == "one"
    assert session.read_cookie(value, TOKEN, now=end) is None
    assert session.read_cookie(value, TOKEN + "x", now=1000.0) is None
    later = f"{end + 99}.{value.partition('.')[2]}"
    another = value.replace(".one.", ".two.")
    for forged in (later, another, "", ".", "..", value[:-1], "٣.one." + value.rpartition(".")[2]):
        assert session.read_cookie(forged, TOKEN, now=1000.0) is None


def test_signing_out_ends_the_session_everywhere(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A copy of the cookie is worthless after signing out, in every ingest process; other sessions go on."""
    environ = {**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}
    with running(environ, engine) as one, running(environ, engine) as other:
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
    with running(environ, engine) as one, running(environ, engine) as other:
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
    assert any("An operator signed in to the console from 8.8.8.8" in line for line in told)
    assert TOKEN not in caplog.text


def guess(api: Api, address: str, token: str = "a wrong token") -> httpx.Response:
    """An attempt to sign in from an address, as a trusted proxy says it."""
    headers = CHANGES | {"X-Forwarded-For": address}
    return api.client.post("/console/api/login", content=token, headers=headers)


def test_all_attempts_together_are_limited_too(engine: Engine) -> None:
    """From however many addresses: nobody gets in until the window is over, and then again."""
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
    """All of an IPv6 network counts as one address; what is none, as one too."""
    client = None if host is None else (host, 1)
    assert find_address(Request({"type": "http", "headers": [], "client": client})) == address


def test_the_cookie_is_secure_where_a_trusted_proxy_says_https(console: Api) -> None:
    """Behind a proxy with TLS the cookie never travels in the clear."""
    headers = CHANGES | {"X-Forwarded-Proto": "https"}
    answer = console.client.post("/console/api/login", content=TOKEN, headers=headers)
    assert answer.headers["set-cookie"].endswith("; Secure")


def test_it_tells_how_things_stand(console: Api, engine: Engine) -> None:
    """The backlog and rings; no gateway runs here."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_broadcast())
    seen = get(console, "look").json()
    assert seen["backlog"]["waiting"] == 2
    assert seen["rings"].keys() == {"sends", "broadcasts", "upkeep"}
    assert seen["gateways"] == {"processes": 0, "sockets": 0, "frames": 0, "buffered_bytes": 0}
    assert seen["ids_made"] >= 2


def test_broadcasts_of_every_app_are_listed_cancelled_and_recalled(
    console: Api, engine: Engine
) -> None:
    """Wherever they are on their way: waiting, or being expanded."""
    with engine.begin() as connection:
        first, second = accept(
            connection, a_broadcast(title="<b>one</b>"), a_broadcast(title="two", sent_by_app_id=8)
        )
    console.deliver()
    with engine.begin() as connection:
        [third] = accept(connection, a_broadcast(title="three"))
    listed = get(console, "broadcasts").json()
    assert [one["id"] for one in listed] == [str(third), str(second), str(first)]
    assert [one["title"] for one in listed] == ["three", "two", "<b>one</b>"]
    assert get(console, f"broadcasts?before_id={second}").json() == listed[2:]
    assert post(console, f"broadcasts/{first}/cancel").status_code == 200
    assert post(console, f"broadcasts/{second}/recall").status_code == 200
    with engine.begin() as connection:
        one = reports.find_report(connection, first, app_id=7)
        two = reports.find_report(connection, second, app_id=8)
    assert one is not None and one.status is BroadcastStatus.CANCELLED
    assert two is not None and two.status in {BroadcastStatus.RECALLING, BroadcastStatus.RECALLED}


def test_what_is_no_broadcast_is_neither_cancelled_nor_recalled(
    console: Api, engine: Engine
) -> None:
    """404, and nothing of a message to one person is taken away, wherever it is on its way."""
    with engine.begin() as connection:
        delivered, waiting = accept(connection, a_send(), a_send())
        persistence.persist(connection, [delivered])
    dead = bury(engine)
    for deed in ("cancel", "recall"):
        for id in (delivered, waiting, dead, 1, 0):
            assert post(console, f"broadcasts/{id}/{deed}").status_code == 404
    with engine.begin() as connection:
        statuses = []
        for id in (delivered, waiting, dead):
            found = lookup.find_message(connection, id)
            assert found is not None
            statuses.append(found.status)
        assert statuses == [MessageStatus.DELIVERED, MessageStatus.ACCEPTED, MessageStatus.FAILED]
        copies = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert copies == 2


def test_failed_sends_are_shown_without_their_texts_replayed_and_dropped(
    console: Api, engine: Engine
) -> None:
    """A replayed one waits again under its id; what is not there is 404."""
    first, second = bury(engine), bury(engine)
    answer = get(console, "failed")
    assert [one["id"] for one in answer.json()] == [str(second), str(first)]
    assert answer.json()[0]["error"] == "It is poison."
    assert "private" not in answer.text
    assert post(console, f"failed/{first}/replay").status_code == 200
    assert post(console, f"failed/{second}/drop").status_code == 200
    assert post(console, f"failed/{second}/drop").status_code == 404
    with engine.begin() as connection:
        assert failed_sends.list_failed(connection, limit=9) == []
        assert connection.execute(text("SELECT id FROM accepted")).scalars().all() == [first]


def test_a_rotated_secret_works_and_so_does_the_one_before(console: Api) -> None:
    """It is shown once; an app that is not there is 404."""
    assert [one["app_id"] for one in get(console, "apps").json()] == ["closed", "crm", "oa"]
    made = post(console, "apps/7/rotate-secret")
    assert made.headers["cache-control"] == "no-store"
    for headers in (console.app(), console.app(secret=made.json()["secret"])):
        assert console.send(headers, type="NOTIFICATION", receiver_id=2).status_code == 200
    assert post(console, "apps/99/rotate-secret").status_code == 404


def test_people_are_found_by_id_and_by_name(console: Api, engine: Engine) -> None:
    """By id with what they have not read; by name everyone, active or not."""
    console.sent(console.person(1), receiver_id=2)
    console.deliver()
    [person] = get(console, "people?q=2").json()["people"]
    assert (person["id"], person["unread"], person["is_active"]) == ("2", 1, True)
    with engine.begin() as connection:
        shut_out = NewPerson(71, "", "陈某", "", "DISABLED", "ORDINARY_USER")
        import_people(
            connection, [NewPerson(70, "", "陈某某", "", "ACTIVE", "ORDINARY_USER"), shut_out]
        )
    found = get(console, "people?q=陈某").json()
    assert found["total"] == 2
    assert [(one["id"], one["is_active"]) for one in found["people"]] == [
        ("70", True),
        ("71", False),
    ]
    assert get(console, "people?q=nobody of this name").json() == {"total": 0, "people": []}
    assert get(console, "people?q=").json() == {"total": 0, "people": []}
    assert get(console, f"people?q={'9' * 30}").json()["total"] == 0


def test_bad_input_is_a_sentence(console: Api) -> None:
    """Ids that are none, or too long."""
    assert get(console, "broadcasts?before_id=x").status_code == 422
    assert get(console, "failed?before_id=" + "9" * 40).status_code == 422
    assert post(console, f"broadcasts/{2**63}/cancel").status_code == 422
    assert post(console, "broadcasts/x/cancel").status_code == 422


def test_the_page_comes_with_its_policy_and_its_parts(console: Api) -> None:
    """Everything that it loads is in the package; nothing comes from elsewhere."""
    page = console.client.get("/console", follow_redirects=True)
    assert page.url.path == "/console/"
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    parts = re.findall(r'(?:href|src)="(static/[^"]+)"', page.text)
    assert len(parts) == 5
    for part in parts:
        assert console.client.get(f"/console/{part}").status_code == 200
    assert "http" not in page.text


def test_what_is_vendored_is_what_is_locked() -> None:
    """`make vendor` was run after the version was changed."""
    folder = Path(session.__file__).parent
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    plots = (folder / "static/vendor/uPlot.iife.min.js").read_text(encoding="utf-8")
    assert f"(v{packages['node_modules/uplot']['version']})" in plots[:200]
    assert "MIT" in (folder / "static/vendor/uPlot.LICENSE").read_text()
    swagger_ui = folder.parent / "routes/swagger_ui"
    script = (swagger_ui / "swagger-ui-bundle.js").read_text(encoding="utf-8")
    assert f'"{packages["node_modules/swagger-ui-dist"]["version"]}"' in script
    assert "Apache License" in (swagger_ui / "LICENSE").read_text()
    # Lock files name no registry; what is installed runs no scripts (one of them would phone home).
    assert not any("resolved" in package for package in packages.values())
    assert "npm ci --ignore-scripts" in (folder.parents[1] / "Makefile").read_text()
