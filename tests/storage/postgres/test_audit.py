"""The audit: its rows come and go with the acts, and nobody changes them."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, exc, text

from ops.local.polling import wait_until
from storage.model.errors import NotSignedIn
from storage.model.operator import Actor, Role
from storage.postgres import audit

WANG = Actor("wang", Role.OPERATOR, "request-1", "192.0.2.1")
ROOT = Actor("cli:root", Role.ADMIN, address="host")


def add_operator(connection: Connection, name: str, *, role: Role = Role.OPERATOR) -> None:
    """An operator with a password that nothing fits."""
    connection.execute(
        text("INSERT INTO operators (name, role, password_hash) VALUES (:name, :role, '')"),
        {"name": name, "role": role},
    )


def read_all(engine: Engine, **wanted: Any) -> list[audit.AuditRow]:
    """The rows, newest first."""
    with engine.begin() as connection:
        return audit.list_rows(connection, limit=100, **wanted)


def test_a_row_says_who_did_what_and_when(engine: Engine) -> None:
    """A row has the actor, the act, its target, what it changed, and the instant at which it was."""
    with engine.begin() as connection:
        add_operator(connection, "wang")
        audit.record(
            connection,
            WANG,
            act="broadcast.cancel",
            target="broadcast 42",
            before={"status": "EXPANDING"},
            after={"status": "CANCELLED"},
        )
    [row] = read_all(engine)
    assert (row.who, row.role, row.request_id, row.address) == (
        "wang",
        "operator",
        "request-1",
        "192.0.2.1",
    )
    assert (row.act, row.target) == ("broadcast.cancel", "broadcast 42")
    assert (row.before, row.after) == ({"status": "EXPANDING"}, {"status": "CANCELLED"})
    assert abs(datetime.now(UTC) - row.at) < timedelta(minutes=1)


def test_a_row_goes_with_an_act_that_is_rolled_back(engine: Engine) -> None:
    """If the act's transaction fails after its row was written, there is no row."""
    with engine.connect() as connection:
        audit.record(connection, ROOT, act="user.disable", target="user 7")
        connection.rollback()
    assert read_all(engine) == []


def test_texts_are_cut_and_made_storable(engine: Engine) -> None:
    """Long texts are cut, and what PostgreSQL cannot hold does not make an act fail."""
    with engine.begin() as connection:
        audit.record(
            connection,
            ROOT,
            act="app.update",
            target="app \udcff" + "x" * 999,
            after={"name": "n\0" * 999, "hosts": ["h" * 999], "count": 7, "none": None},
        )
    [row] = read_all(engine)
    assert len(row.target) == 255
    assert row.after is not None
    assert (len(row.after["name"]), len(row.after["hosts"][0])) == (255, 255)
    assert (row.after["count"], row.after["none"]) == (7, None)


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_not_even_the_owner_changes_a_row(engine: Engine, change: str) -> None:
    """Changing, deleting and truncating rows is refused by PostgreSQL, to the owner of the table too."""
    with engine.begin() as connection:
        audit.record(connection, ROOT, act="user.disable", target="user 7")
    with (
        pytest.raises(exc.ProgrammingError, match="only ever added to"),
        engine.begin() as connection,
    ):
        connection.execute(text(change))
    assert len(read_all(engine)) == 1


def make_old(connection: Connection, *, days: int) -> None:
    """Rows of long ago, which only a test can make: a day apart, the newest so many days old."""
    connection.execute(
        text(
            "INSERT INTO audit (at, who, role, act, target, request_id, address) "
            "SELECT clock_timestamp() - make_interval(days => n), 'old', 'admin', 'x', 'x', '', '' "
            "FROM generate_series(:days, :days + 9) AS n"
        ),
        {"days": days},
    )


def test_old_rows_go_by_slices_and_young_ones_never(engine: Engine) -> None:
    """Rows past their time go, oldest first, slice after slice; those of the last thirty days stay whatever is asked."""
    with engine.begin() as connection:
        make_old(connection, days=100)
        make_old(connection, days=20)
        assert audit.drop_old(connection, kept=timedelta(days=105), slice=3) == 3
        assert audit.drop_old(connection, kept=timedelta(days=105), slice=3) == 2
        assert audit.drop_old(connection, kept=timedelta(days=105), slice=3) == 0
        assert audit.drop_old(connection, kept=timedelta(0), slice=1000) == 5
    assert len(read_all(engine)) == 10


def test_rows_are_found_by_who_what_and_since(engine: Engine) -> None:
    """The rows of an operator, an act, a target or a time are listed newest first, page by page."""
    with engine.begin() as connection:
        make_old(connection, days=3)
        for number in range(5):
            actor = Actor(f"cli:{number % 2}", Role.ADMIN)
            audit.record(connection, actor, act="app.enable", target=f"app {number}")
    assert [row.target for row in read_all(engine, who="cli:0")] == ["app 4", "app 2", "app 0"]
    assert len(read_all(engine, act="app.enable")) == 5
    assert [row.who for row in read_all(engine, target="app 3")] == ["cli:1"]
    assert len(read_all(engine, since=datetime.now(UTC) - timedelta(days=1))) == 5
    rows = read_all(engine)
    assert read_all(engine, before_id=rows[4].id) == rows[5:]


@pytest.mark.parametrize(
    "change", ["disabled_at = clock_timestamp()", "role = 'viewer'"], ids=["disabled", "demoted"]
)
def test_nothing_is_committed_by_who_was_just_disabled(engine: Engine, change: str) -> None:
    """An act that meets the disabling of its operator, or a change of role, waits for it and is then refused."""
    with engine.begin() as connection:
        add_operator(connection, "wang")
    refused: list[NotSignedIn] = []
    connection = engine.connect()
    connection.execute(text(f"UPDATE operators SET {change}"))
    acting = threading.Thread(target=lambda: act_as_wang(engine, refused))
    acting.start()
    assert wait_until(lambda: is_waiting(engine), seconds=20)
    connection.commit()
    connection.close()
    acting.join(20)
    assert len(refused) == 1
    assert read_all(engine) == []


def act_as_wang(engine: Engine, refused: list[NotSignedIn]) -> None:
    """Do something as Wang; what refuses it is put on the list."""
    try:
        with engine.begin() as connection:
            audit.record(connection, WANG, act="broadcast.cancel", target="broadcast 42")
    except NotSignedIn as error:
        refused.append(error)


def is_waiting(engine: Engine) -> bool:
    """Whether a session of this database waits for a lock."""
    with engine.begin() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.execute(waiting).scalar_one())


def test_refusals_are_written_so_many_a_minute(engine: Engine) -> None:
    """Somebody who presses a forbidden button on and on fills thirty rows a minute; others have theirs all the same."""
    with engine.begin() as connection:
        for number in range(40):
            audit.record_refusal(
                connection, WANG, act="broadcast.cancel", target=f"broadcast {number}"
            )
        audit.record_refusal(
            connection, Actor("li", Role.VIEWER), act="failed.drop", target="failed send 1"
        )
    assert len(read_all(engine, who="wang")) == 30
    [row] = read_all(engine, who="li")
    assert (row.act, row.target, row.after) == (
        "refused",
        "failed send 1",
        {"act": "failed.drop"},
    )
