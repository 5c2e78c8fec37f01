"""The console's server side: who is let in, what it tells, what it does."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from ingest.console import session
from ingest.settings import IngestSettings
from storage import broadcast_reports, failed_sends
from storage.model.broadcast import BroadcastStatus
from storage.model.errors import InvalidSettings
from storage.people_import import NewPerson, import_people
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


def test_a_session_ends() -> None:
    """By its time, and by another token."""
    value = session.issue(TOKEN, now=1000.0)
    end = 1000 + session.LIFETIME_SECONDS
    assert session.is_valid(value, TOKEN, now=end - 1)
    assert not session.is_valid(value, TOKEN, now=end)
    assert not session.is_valid(value, TOKEN + "x", now=1000.0)
    later = f"{end + 99}.{value.partition('.')[2]}"
    assert not session.is_valid(later, TOKEN, now=1000.0)


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
        one = broadcast_reports.report(connection, first, app_id=7)
        two = broadcast_reports.report(connection, second, app_id=8)
    assert one is not None and one.status is BroadcastStatus.CANCELLED
    assert two is not None and two.status in {BroadcastStatus.RECALLING, BroadcastStatus.RECALLED}


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
        assert failed_sends.listing(connection, limit=9) == []
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
    locked = re.search(r'"node_modules/uplot": {\s+"version": "([\d.]+)"', (folder / "package-lock.json").read_text())  # fmt: skip
    assert locked is not None
    script = (folder / "static/vendor/uPlot.iife.min.js").read_text(encoding="utf-8")
    assert f"(v{locked[1]})" in script[:200]
    assert "MIT" in (folder / "static/vendor/uPlot.LICENSE").read_text()
