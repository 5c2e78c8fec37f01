"""Who is disabled, as gateways know it, becomes what the record says, whatever a command could not tell."""

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Connection, Engine, text

from storage.postgres import periodic_jobs
from storage.postgres.people import directory
from storage.postgres.people.people_import import NewPerson, import_people
from storage.valkey.bus import Bus
from tests.builders import add_people
from workers import disabled_users
from workers.services import Services, open_services


@pytest.fixture
def sweeper(environ: Mapping[str, str]) -> Iterator[Services]:
    """A process with the real bus, which knows who is disabled: nobody."""
    opened = open_services({**environ, "CARILLON_PUBLIC_URL": "http://127.0.0.1:8000"})
    disabled_users.reconcile(opened)
    assert opened.bus.has_disabled_marks()
    assert opened.bus.read_disabled() == frozenset()
    yield opened
    opened.database.close()
    opened.bus.close()


def reconcile(sweeper: Services, engine: Engine) -> frozenset[int]:
    """Reconcile now, and not only every few seconds; whom gateways refuse then."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE turns SET taken_at = taken_at - interval '1 h'"))
    for _ in range(2):  # the first look only begins to count
        disabled_users.reconcile(sweeper)
        with engine.begin() as connection:
            connection.execute(text("UPDATE turns SET taken_at = taken_at - interval '1 h'"))
    return sweeper.bus.read_disabled()


def import_statuses(connection: Connection, *rows: tuple[int, str]) -> None:
    """Import people with a status, and tell nobody."""
    import_people(connection, [NewPerson(id, "", "人", "", status, "") for id, status in rows])


def test_what_no_command_could_tell_is_told_by_the_sweep(sweeper: Services, engine: Engine) -> None:
    """Valkey away or a crash after the commit: shut out, let in, both at once, new and deleted people."""
    with engine.begin() as connection:
        import_statuses(connection, (1, "DISABLED"), (2, "ACTIVE"))
    assert reconcile(sweeper, engine) == {1}
    with engine.begin() as connection:
        import_statuses(connection, (1, "ACTIVE"), (2, "DISABLED"))  # as many as before
    assert reconcile(sweeper, engine) == {2}
    with engine.begin() as connection:
        directory.set_status(connection, 2, status="ACTIVE")
        add_people(connection, [3], is_deleted=True)
    assert reconcile(sweeper, engine) == {3}
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM users WHERE id = 3"))
    assert reconcile(sweeper, engine) == frozenset()
    assert sweeper.bus.has_disabled_marks()


def test_the_bus_is_not_asked_for_everyone_all_the_time(
    sweeper: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the numbers are equal, everyone who is disabled is compared once a minute, not at every sweep."""
    reconcile(sweeper, engine)
    disabled_users.reconcile(sweeper)
    asked: list[str] = []

    def note(_: Bus) -> frozenset[int]:
        asked.append("all")
        return frozenset()

    monkeypatch.setattr(Bus, "read_disabled", note)
    for _ in range(3):
        pass_time(engine, periodic_jobs.DISABLED)
        disabled_users.reconcile(sweeper)
    assert asked == []
    pass_time(engine, periodic_jobs.DISABLED)
    pass_time(engine, periodic_jobs.DISABLED_IN_FULL)
    disabled_users.reconcile(sweeper)
    assert asked == ["all"]


def pass_time(engine: Engine, turn: str) -> None:
    """Let it be the time for `turn` again."""
    with engine.begin() as connection:
        back = "UPDATE turns SET taken_at = taken_at - interval '1 h' WHERE name = :name"
        connection.execute(text(back), {"name": turn})
