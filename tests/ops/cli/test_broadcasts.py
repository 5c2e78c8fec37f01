"""`carillon broadcasts` and `carillon message`, on the record of a running stack."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests.builders import a_broadcast, a_notification, accept
from tests.ops.cli.command import carillon, csv_file, refusal
from tests.services import Stack

WORDS = ("--title", "t", "--content", "c")


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


def connect(environ: Mapping[str, str]) -> Engine:
    """Connections to the record."""
    return make_blocking_engine(load(DatabaseSettings, environ), application_name="tests")


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own; there is somebody who gets its broadcasts."""
    name = f"app_{uuid4().hex[:8]}"
    header = "id,mobile,name,english_name,status,role"
    carillon(environ, "user", "import", csv_file(tmp_path, header, "501,,张三,,,", "502,,李四,,,"))
    carillon(environ, "app", "add", name, "--name", "N", "--callback-url", "https://a.cn/cb")
    return name


def test_a_broadcast_is_shown_listed_and_taken_back(
    environ: Mapping[str, str], app_id: str
) -> None:
    """A broadcast is listed, shown and recalled until it is gone everywhere; it cannot be stopped then."""
    own = ("--app", app_id)
    assert "Nothing" in carillon(environ, "broadcasts", "list", *own).stdout
    id = carillon(environ, "broadcast", *own, *WORDS, "--watch").stdout.split()[0]
    shown = json.loads(carillon(environ, "broadcasts", "show", *own, id, "--watch").stdout)
    assert (shown["status"], shown["expanded"]) == ("DONE", shown["total"])
    assert id in carillon(environ, "broadcasts", "list", *own, "--limit", "5").stdout
    recalled = json.loads(carillon(environ, "broadcasts", "recall", *own, id).stdout)
    assert (recalled["status"], recalled["recalled"]) == ("RECALLED", shown["total"])
    assert "RECALLED" in refusal(carillon(environ, "broadcasts", "cancel", *own, id))


def test_a_preview_counts_and_sends_nothing(environ: Mapping[str, str], app_id: str) -> None:
    """`--preview` prints the number of people that the broadcast is then for, and sends nothing; not with `--watch`."""
    own = ("--app", app_id)
    number = carillon(environ, "broadcast", *own, *WORDS, "--preview").stdout.strip()
    assert "Nothing" in carillon(environ, "broadcasts", "list", *own).stdout
    id = carillon(environ, "broadcast", *own, *WORDS, "--watch").stdout.split()[0]
    shown = json.loads(carillon(environ, "broadcasts", "show", *own, id).stdout)
    assert number == str(shown["total"])
    assert "--watch" in carillon(environ, "broadcast", *own, *WORDS, "--preview", "--watch").stderr


def test_what_is_not_there_is_not_there(environ: Mapping[str, str], app_id: str) -> None:
    """A broadcast is not found by a wrong id, as another app's, or by the id of a message to one person."""
    own = ("--app", app_id)
    id = carillon(environ, "broadcast", *own, *WORDS).stdout.split()[0]
    other = f"app_{uuid4().hex[:8]}"
    carillon(environ, "app", "add", other, "--name", "N", "--callback-url", "https://a.cn/cb")
    sent = ("--app", app_id, "--to", "501", *WORDS, "--json")
    plain = json.loads(carillon(environ, "send", *sent).stdout)["id"]
    for command in ("show", "cancel", "recall", "retry"):
        for asked in (("1",), ("--app", other, id), (plain,)):
            answer = refusal(carillon(environ, "broadcasts", command, *asked))
            assert "There is no broadcast" in answer
    assert json.loads(carillon(environ, "message", "show", plain).stdout)["status"] in {
        "ACCEPTED",
        "DELIVERED",
    }


def test_what_a_disabled_app_sends_is_held_and_the_operators(
    environ: Mapping[str, str], app_id: str
) -> None:
    """A broadcast of a disabled app is held; it can be shown and cancelled without the app's secret."""
    own = ("--app", app_id)
    carillon(environ, "app", "disable", app_id)
    engine = connect(environ)
    with engine.begin() as connection:
        number = connection.execute(
            text("SELECT id FROM apps WHERE app_id = :app_id"), {"app_id": app_id}
        ).scalar_one()
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        of_app = {"sent_by_app_id": number, "app_id": number, "audience": (501,)}
        going, stopped = accept(connection, a_broadcast(**of_app), a_broadcast(**of_app))
        letter = {**of_app, "receiver_id": 501, "send_at": soon}
        del letter["audience"]
        [due, taken_back] = accept(connection, a_notification(**letter), a_notification(**letter))
    engine.dispose()

    def status(what: str, id: int) -> tuple[str, bool]:
        shown = json.loads(carillon(environ, what, "show", id).stdout)
        return shown["status"], shown["held"]

    def become(what: str, id: int, *expected: object) -> bool:
        return wait_until(lambda: status(what, id) == expected, seconds=20)

    for id in (going, stopped):
        assert become("broadcasts", id, "PENDING", True)
    for id in (due, taken_back):
        assert become("message", id, "SCHEDULED", True)
    assert "held" in carillon(environ, "broadcasts", "list", *own).stdout
    carillon(environ, "broadcasts", "cancel", stopped)
    carillon(environ, "message", "recall", taken_back)
    carillon(environ, "app", "enable", app_id)
    assert become("broadcasts", going, "DONE", False)
    assert become("message", due, "DELIVERED", False)
    assert status("broadcasts", stopped) == ("CANCELLED", False)
    assert status("message", taken_back) == ("RECALLED", False)
    shown = carillon(environ, "message", "show", due).stdout
    assert "审批" not in shown
    assert "审批" in carillon(environ, "message", "show", due, "--with-text").stdout
