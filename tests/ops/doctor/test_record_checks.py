"""What `carillon doctor` finds in PostgreSQL: each defect is planted, found, and has its remedy."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from ops.doctor import record_checks
from ops.doctor.examination import examine
from ops.doctor.findings import Level, Site
from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.model.pause import PauseKind
from storage.postgres import pauses, periodic_jobs
from storage.postgres.broadcasts import failures
from storage.postgres.messages import persistence, unpublished
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.sends.failed_sends import move_to_failed
from storage.settings import load
from tests.builders import A_COMMAND, a_broadcast, a_send, accept, add_app, add_people
from tests.ops.doctor.findings import find, find_level


@pytest.mark.parametrize(
    ("change", "said", "mend"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "is older", "carillon db upgrade"),
        ("DELETE FROM alembic_version", "has no tables", "carillon db upgrade"),
    ],
)
def test_a_schema_of_another_version_is_found(
    environ: Mapping[str, str], engine: Engine, change: str, said: str, mend: str
) -> None:
    """A schema that is behind is to be migrated; one that is ahead wants a newer command; an empty database says so."""
    assert find_level(environ, "schema") is Level.OK
    with engine.begin() as connection:
        connection.execute(text(change))
    [finding] = find(environ, "schema")
    assert finding.level is Level.FAIL
    assert said in finding.text
    assert finding.mend.startswith(mend)


def test_what_another_schema_breaks_is_told_with_it(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """A check that fails because a table is missing is no cause of its own when the schema is behind."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(text("ALTER TABLE turns RENAME TO turns_of_another_version"))
    found = {one.name: one for one in examine(Site(environ), only=["schema", "sweep"])}
    assert found.keys() == {"schema"}
    [follows] = found["schema"].follows
    assert follows.startswith("sweep: ")


def test_the_schema_of_a_newer_release_is_no_failure(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """After a roll-back the schema is a newer release's: that is said, and is no failure."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert find_level(environ, "schema") is Level.WARN


def test_a_session_that_holds_others_up_is_named(
    environ: Mapping[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that holds others up is named with how to end it; when it has ended, all is well."""
    monkeypatch.setattr(record_checks, "LOCK_WAIT", timedelta(0))
    assert find_level(environ, "sessions") is Level.OK
    with engine.begin() as connection:
        add_people(connection, [1])
    lock = text("SELECT id FROM users WHERE id = 1 FOR UPDATE")
    with ThreadPoolExecutor(1) as pool, engine.connect() as waiting:
        with engine.begin() as holding:
            holding.execute(lock)
            waited = pool.submit(waiting.execute, lock)
            assert wait_until(lambda: find_level(environ, "sessions") is Level.FAIL, seconds=10)
            [finding] = find(environ, "sessions")
            assert "1 wait for tests" in finding.text
            assert "pg_terminate_backend" in finding.mend
        waited.result(10)
    assert find_level(environ, "sessions") is Level.OK


def test_a_superuser_is_found(environ: Mapping[str, str]) -> None:
    """It is a warning that processes sign in as a superuser."""
    [finding] = [one for one in examine(Site(environ), only=["sessions"]) if one.name == "roles"]
    assert finding.level is Level.WARN


def test_a_missing_month_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """Missing partitions of next month are found, even if those of later months are there."""
    assert find_level(environ, "partitions") is Level.OK
    month = (datetime.now(UTC).replace(day=1) + timedelta(days=32)).strftime("y%Ym%m")
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE messages_{month}"))
    assert find_level(environ, "partitions") is Level.FAIL


def test_another_secrets_key_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """A key that does not open the apps' secrets is found."""
    vault = Vault(load(VaultSettings, environ))
    with engine.begin() as connection:
        apps.add(connection, NewApp("oa", "OA", "https://oa.test", ()), vault=vault)
    assert find_level(environ, "secrets") is Level.OK
    other = {**environ, "CARILLON_SECRETS_KEY": Fernet.generate_key().decode()}
    [finding] = find(other, "secrets")
    assert finding.level is Level.FAIL
    assert "CARILLON_SECRETS_KEY" in finding.mend


def test_late_and_failed_sends_are_found(environ: Mapping[str, str], engine: Engine) -> None:
    """A send that has waited too long is a failure; dead letters are a warning."""
    assert find_level(environ, "backlog") is Level.OK
    with engine.begin() as connection:
        [late, dead] = accept(connection, a_send(), a_send())
        connection.execute(
            text("UPDATE accepted SET ring_at = ring_at - interval '1 minute' WHERE id = :id"),
            {"id": late},
        )
        move_to_failed(connection, [dead])
    assert find_level(environ, "backlog") is Level.FAIL
    assert find_level(environ, "failed sends") is Level.WARN


def test_events_that_cannot_be_published_are_found(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """Events that are set aside are a warning; events that wait for the bus are no finding."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO unpublished (message_id) VALUES (1)"))
    assert find(environ, "set aside") == []
    with engine.begin() as connection:
        unpublished.set_aside(connection, {1: "no credentials"})
    assert find_level(environ, "set aside") is Level.WARN


def test_a_sweep_that_is_late_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """It is a failure if nobody sweeps, a warning if workers do in place of beat, and well if beat does."""
    assert find_level(environ, "sweep") is Level.FAIL
    with engine.begin() as connection:
        periodic_jobs.record_start(connection, periodic_jobs.SWEEP)
    assert find_level(environ, "sweep") is Level.OK
    with engine.begin() as connection:
        connection.execute(text("UPDATE turns SET on_time_at = now() - interval '1 min'"))
    assert find_level(environ, "sweep") is Level.WARN


def test_a_clock_that_was_set_back_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """A clock of PostgreSQL that is behind the newest message id is found."""
    assert find(environ, "ids") == []
    with engine.begin() as connection:
        later = "clock_timestamp() + interval '1 min'"
        connection.execute(text(f"SELECT setval('message_ids', message_id_floor({later}))"))
    assert find_level(environ, "ids") is Level.WARN


def test_a_broadcast_that_fails_is_named(environ: Mapping[str, str], engine: Engine) -> None:
    """A broadcast that fails is named with its app, the reason, and the command that tries it again."""
    assert find_level(environ, "broadcasts") is Level.OK
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, [1])
        [id] = accept(connection, a_broadcast())
        persistence.persist(connection, [id])
        failures.record_plan_failure(connection, id, error="no room")
    [finding] = find(environ, "broadcasts")
    assert finding.level is Level.FAIL
    assert finding.text == f"{id} of OA系统: 1 parts fail: no room"
    assert finding.mend.endswith(f"carillon broadcasts retry {id}")


def test_a_pause_is_found_with_how_to_end_it(
    environ: Mapping[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused sends are a warning that names who and why, and no failure of workers, however long they wait."""
    monkeypatch.setattr(record_checks, "LATE_SECONDS", -1.0)
    assert find_level(environ, "pauses") is Level.OK
    with engine.begin() as connection:
        add_app(connection)
        accept(connection, a_send())
    assert find_level(environ, "backlog") is Level.FAIL
    with engine.begin() as connection:
        queue = (PauseKind.QUEUE, "sends")
        pauses.pause(connection, *queue, reason="repair", until=None, actor=A_COMMAND)
        app = (PauseKind.APP, "app_7")
        pauses.pause(connection, *app, reason="", until=None, actor=A_COMMAND)
    assert find_level(environ, "backlog") is Level.OK
    first, second = find(environ, "pauses")
    assert (first.level, first.mend) == (Level.WARN, "carillon resume queue sends")
    assert "by cli:test: repair" in first.text
    assert "0 sends are put aside" in second.text
