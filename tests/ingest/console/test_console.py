"""What the console shows an operator who is signed in, and what it does for them."""

import json
import re
from pathlib import Path

from sqlalchemy import Engine, text

from ingest.console import session
from ops.local.polling import wait_until
from storage.model.broadcast import BroadcastStatus
from storage.model.message import MessageStatus
from storage.postgres.broadcasts import reports
from storage.postgres.messages import lookup, persistence
from storage.postgres.people.people_import import NewPerson, import_people
from storage.postgres.sends import failed_sends
from tests.builders import a_broadcast, a_send, accept
from tests.ingest.api_server import Api
from tests.ingest.console.pages import CHANGES, get, post
from tests.ingest.console.steps import bury


def test_without_a_token_there_is_no_console(api: Api) -> None:
    """As long as no operator's token is set, every path of the console is 404."""
    paths = ("/console", "/console/", "/console/static/console.js", "/console/api/look")
    assert {api.client.get(path).status_code for path in paths} == {404}
    assert api.client.post("/console/api/login", content="", headers=CHANGES).status_code == 404


def test_odd_ids_and_texts_are_422(console: Api) -> None:
    """Thousands of digits, numbers past 64 bits and NUL are 422 and never 500, in every path and query of the console."""
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
    for deed in ("disable", "enable", "password"):
        assert post(console, f"operators/%00/{deed}").status_code == 422
        assert post(console, f"operators/{'x' * 999}/{deed}").status_code == 422
        assert post(console, f"operators/%FF王/{deed}").status_code == 404
    assert get(console, "people?q=%00").status_code == 422
    assert get(console, "people?q=" + "9" * 5000).status_code == 422
    assert get(console, "people?q=%ED%A0%80").status_code == 200
    assert post(console, f"apps/{2**40}/rotate-secret").status_code == 404
    assert 'status="500"' not in console.client.get("/metrics").text


def test_it_tells_how_things_stand(console: Api, engine: Engine) -> None:
    """The overview has the backlog and the rings, and counts no gateway where none runs."""
    with engine.begin() as connection:
        accept(connection, a_send(), a_broadcast())
    seen = get(console, "look").json()
    assert seen["backlog"]["waiting"] == 2
    assert seen["rings"].keys() == {"sends", "broadcasts", "upkeep", "callbacks"}
    assert seen["gateways"] == {"processes": 0, "sockets": 0, "frames": 0, "buffered_bytes": 0}
    assert seen["ids_made"] >= 2


def test_broadcasts_of_every_app_are_listed_cancelled_and_recalled(
    console: Api, engine: Engine
) -> None:
    """A broadcast of any app is listed and can be stopped, whether it still waits or is being expanded."""
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
    """Cancelling or recalling a message to one person as if it were a broadcast is 404 and takes nothing away."""
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


def test_failed_sends_are_shown_replayed_and_dropped(console: Api, engine: Engine) -> None:
    """A dead letter is listed, waits again under its id after a replay, and is gone after a drop."""
    first, second = bury(engine), bury(engine)
    answer = get(console, "failed")
    assert [one["id"] for one in answer.json()] == [str(second), str(first)]
    assert answer.json()[0]["error"] == "It is poison."
    assert post(console, f"failed/{first}/replay").status_code == 200
    assert post(console, f"failed/{second}/drop").status_code == 200
    assert post(console, f"failed/{second}/drop").status_code == 404
    with engine.begin() as connection:
        assert failed_sends.list_failed(connection, limit=9) == []
        assert connection.execute(text("SELECT id FROM accepted")).scalars().all() == [first]


def test_of_a_failed_send_only_an_app_s_title_is_shown(console: Api, engine: Engine) -> None:
    """The list of failed sends has the titles that apps wrote, and nothing that one person wrote to another."""
    bury(engine, title="the salary of May", content="a notice's text", sent_by_app_id=7)
    bury(engine, title="private title", content="private text")
    answer = get(console, "failed")
    assert [one["title"] for one in answer.json()] == [None, "the salary of May"]
    assert "private" not in answer.text
    assert "notice" not in answer.text


def test_a_rotated_secret_works_and_so_does_the_one_before(console: Api) -> None:
    """A new secret is shown once and works at once, the one before goes on working; an unknown app is 404."""
    assert [one["app_id"] for one in get(console, "apps").json()] == ["closed", "crm", "oa"]
    made = post(console, "apps/7/rotate-secret")
    assert made.headers["cache-control"] == "no-store"
    for headers in (console.app(), console.app(secret=made.json()["secret"])):
        assert console.send(headers, type="NOTIFICATION", receiver_id=2).status_code == 200
    assert post(console, "apps/99/rotate-secret").status_code == 404


def test_an_app_is_disabled_and_enabled(console: Api, engine: Engine) -> None:
    """A disabled app's calls are refused within seconds, and the answer says what is held; enabled, it calls again."""
    with engine.begin() as connection:
        accept(connection, a_broadcast())
    console.deliver()
    assert post(console, "apps/7/disable").json() == {"held": {"sends": 0, "broadcasts": 1}}
    notice = {"type": "NOTIFICATION", "receiver_id": 2}
    assert wait_until(lambda: console.send(console.app(), **notice).status_code == 401, seconds=20)
    [shown] = [one for one in get(console, "apps").json() if one["app_id"] == "oa"]
    assert (shown["is_active"], len(shown["secrets"])) == (False, 1)
    assert post(console, "apps/7/enable").json() == {}
    assert wait_until(lambda: console.send(console.app(), **notice).status_code == 200, seconds=20)
    assert post(console, "apps/99/enable").status_code == 404


def test_people_are_found_by_id_and_by_name(console: Api, engine: Engine) -> None:
    """An id finds one person with their unread messages, a name finds everyone who has it, active or not."""
    console.send_for_id(console.person(1), receiver_id=2)
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
    """An id that is none or too long is refused with a sentence that says so."""
    assert get(console, "broadcasts?before_id=x").status_code == 422
    assert get(console, "failed?before_id=" + "9" * 40).status_code == 422
    assert post(console, f"broadcasts/{2**63}/cancel").status_code == 422
    assert post(console, "broadcasts/x/cancel").status_code == 422


def test_the_page_comes_with_its_policy_and_its_parts(console: Api) -> None:
    """The page has a Content-Security-Policy, and everything that it loads is in the package."""
    page = console.client.get("/console", follow_redirects=True)
    assert page.url.path == "/console/"
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    parts = re.findall(r'(?:href|src)="(static/[^"]+)"', page.text)
    assert len(parts) == 5
    for part in parts:
        assert console.client.get(f"/console/{part}").status_code == 200
    assert "http" not in page.text


def test_what_is_vendored_is_what_is_locked() -> None:
    """The vendored files are those of the locked version: `make vendor` was run after it was changed."""
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
