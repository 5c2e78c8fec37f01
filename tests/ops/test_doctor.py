"""`carillon doctor` finds what is planted, says how to mend it, and is content with a healthy stack."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import redis
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from ops.doctor import record_checks
from ops.doctor.examination import examine
from ops.doctor.findings import Finding, Level, Site
from ops.local.polling import wait_until
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import BROADCASTS, SENDS, UPKEEP, QueueSettings
from storage.keys.vault import Vault, VaultSettings
from storage.postgres import periodic_jobs
from storage.postgres.broadcasts import failures
from storage.postgres.messages import persistence, unpublished
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.sends.failed_sends import move_to_failed
from storage.settings import load
from tests import services
from tests.builders import a_broadcast, a_send, accept, add_app, add_people
from tests.ops.cli.command import carillon

NOWHERE = "127.0.0.1:1"
# Whose findings have other names than the check.
CHECK_OF = {
    "partitions": ("schema",),
    "workers": ("broker",),
    "failed sends": ("backlog",),
    "set aside": ("backlog",),
    "ids": ("backlog",),
    "clock": ("database", "valkey"),
}


def found(environ: Mapping[str, str], name: str, **site: object) -> list[Finding]:
    """What is found under one name."""
    only = CHECK_OF.get(name, (name,))
    examined = examine(Site(environ, **site), only=only)  # type: ignore[arg-type]
    return [finding for finding in examined if finding.name == name]


def level(environ: Mapping[str, str], name: str, **site: object) -> Level:
    """How bad the only finding of a name is; what is not well has its remedy."""
    [finding] = found(environ, name, **site)
    assert finding.mend or finding.level is Level.OK, finding
    return finding.level


def test_a_running_stack_is_well_but_for_what_tests_spare(stack: services.Stack) -> None:
    """Everything runs: the one thing it finds is that PostgreSQL under test does not sync its disk."""
    # The stack is ready with its door; its workers may still be starting.
    queues, taken = load(QueueSettings, stack.environ), {SENDS, BROADCASTS, UPKEEP}
    assert wait_until(lambda: find_consumed_queues(queues, seconds=1) >= taken, seconds=60)
    done = carillon(stack.environ, "doctor", "--json", "--gateway", stack.url)
    told = {one["name"]: one["level"] for one in json.loads(done.stdout)}
    told.pop("failed sends", None)  # of another test
    assert {name for name, level in told.items() if level != "OK"} == {"database"}, done.stdout
    assert "may lose commits" in done.stdout
    assert done.exit_code == 1
    assert {"schema", "partitions", "secrets", "workers", "gateway", "clock"} <= told.keys()


def test_whatever_is_away_is_found(environ: Mapping[str, str]) -> None:
    """Unreachable servers are findings, each with what to do; and the exit code is 1."""
    away = {
        **environ,
        "CARILLON_DATABASE_URL": f"postgresql://x:secret@{NOWHERE}/x",
        "CARILLON_VALKEY_URL": f"redis://:secret@{NOWHERE}/0",
    }
    done = carillon(away, "doctor", "--gateway", f"http://{NOWHERE}")
    assert done.exit_code == 1
    for name in ("database", "schema", "secrets", "backlog", "valkey", "broker", "gateway"):
        assert f"FAIL {name} " in done.stdout, done.stdout
    assert done.stdout.count("→") >= 7
    assert "secret@" not in done.stdout + done.stderr


def test_queues_without_a_worker_are_named(environ: Mapping[str, str]) -> None:
    """Nobody runs: which queues, and the command that starts a worker of each."""
    [finding] = found(environ, "workers")
    assert finding.level is Level.FAIL
    for queue in ("sends", "broadcasts", "upkeep"):
        assert f"worker -Q {queue}" in finding.mend


def test_an_old_schema_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """A migration that was not run."""
    assert level(environ, "schema") is Level.OK
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'm0001'"))
    assert level(environ, "schema") is Level.FAIL


def test_a_session_that_holds_others_up_is_named(
    environ: Mapping[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose it is and how to end it; when it ends, nobody holds others up."""
    monkeypatch.setattr(record_checks, "LOCK_WAIT", timedelta(0))
    assert level(environ, "sessions") is Level.OK
    with engine.begin() as connection:
        add_people(connection, [1])
    lock = text("SELECT id FROM users WHERE id = 1 FOR UPDATE")
    with ThreadPoolExecutor(1) as pool, engine.connect() as waiting:
        with engine.begin() as holding:
            holding.execute(lock)
            waited = pool.submit(waiting.execute, lock)
            assert wait_until(lambda: level(environ, "sessions") is Level.FAIL, seconds=10)
            [finding] = found(environ, "sessions")
            assert "1 wait for tests" in finding.text
            assert "pg_terminate_backend" in finding.mend
        waited.result(10)
    assert level(environ, "sessions") is Level.OK


def test_a_superuser_is_found(environ: Mapping[str, str]) -> None:
    """Processes need not be one; the tests' are."""
    [finding] = [one for one in examine(Site(environ), only=["sessions"]) if one.name == "roles"]
    assert finding.level is Level.WARN


def test_a_missing_month_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """Next month's partitions, though those of later months are there."""
    assert level(environ, "partitions") is Level.OK
    month = (datetime.now(UTC).replace(day=1) + timedelta(days=32)).strftime("y%Ym%m")
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE messages_{month}"))
    assert level(environ, "partitions") is Level.FAIL


def test_another_secrets_key_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """The apps' secrets cannot be opened with it."""
    vault = Vault(load(VaultSettings, environ))
    with engine.begin() as connection:
        apps.add(connection, NewApp("oa", "OA", "https://oa.test", ()), vault=vault)
    assert level(environ, "secrets") is Level.OK
    other = {**environ, "CARILLON_SECRETS_KEY": Fernet.generate_key().decode()}
    assert level(other, "secrets") is Level.FAIL


def test_an_eviction_policy_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey that forgets what was written when it is full."""
    assert level(environ, "valkey") is Level.OK
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory-policy", "noeviction")


def test_a_full_valkey_is_found(environ: Mapping[str, str]) -> None:
    """Near its limit of memory it is a warning."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", int(used * 1.05))
        try:
            assert level(environ, "valkey") is Level.WARN
        finally:
            client.config_set("maxmemory", 0)


def test_a_valkey_that_refuses_writes_is_found(environ: Mapping[str, str]) -> None:
    """Over its limit of memory it is a failure, in Valkey's own words."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory", 100_000)
        try:
            assert level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory", 0)


def test_a_frozen_server_is_a_finding_and_not_a_hang(environ: Mapping[str, str]) -> None:
    """Valkey takes connections and never answers."""
    with services.valkey() as server:
        frozen = {**environ, "CARILLON_VALKEY_URL": server.url}
        server.freeze()
        try:
            assert level(frozen, "valkey") is Level.FAIL
            assert level(frozen, "broker") is Level.FAIL
        finally:
            server.thaw()


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Level.OK), (0.2, Level.WARN), (10, Level.FAIL)]
)
def test_clocks_that_differ_are_found(
    environ: Mapping[str, str], minutes: float, expected: Level
) -> None:
    """PostgreSQL's and Valkey's, against this machine's."""
    clocks = found(environ, "clock", clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    assert [clock.level for clock in clocks] == [expected, expected]


def test_late_and_failed_sends_are_found(environ: Mapping[str, str], engine: Engine) -> None:
    """Work that has waited too long fails; dead letters are a warning."""
    assert level(environ, "backlog") is Level.OK
    with engine.begin() as connection:
        [late, dead] = accept(connection, a_send(), a_send())
        connection.execute(
            text("UPDATE accepted SET ring_at = ring_at - interval '1 minute' WHERE id = :id"),
            {"id": late},
        )
        move_to_failed(connection, [dead])
    assert level(environ, "backlog") is Level.FAIL
    assert level(environ, "failed sends") is Level.WARN


def test_events_that_cannot_be_published_are_found(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """What is set aside is a warning with its remedy; what waits for the bus is not."""
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO unpublished (message_id) VALUES (1)"))
    assert found(environ, "set aside") == []
    with engine.begin() as connection:
        unpublished.set_aside(connection, {1: "no credentials"})
    assert level(environ, "set aside") is Level.WARN


def test_a_sweep_that_is_late_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """Nobody sweeps; workers do instead of beat; beat does."""
    assert level(environ, "sweep") is Level.FAIL
    with engine.begin() as connection:
        periodic_jobs.record_start(connection, periodic_jobs.SWEEP)
    assert level(environ, "sweep") is Level.OK
    with engine.begin() as connection:
        connection.execute(text("UPDATE turns SET on_time_at = now() - interval '1 min'"))
    assert level(environ, "sweep") is Level.WARN


def test_a_clock_that_was_set_back_is_found(environ: Mapping[str, str], engine: Engine) -> None:
    """The newest message id is of a later time than PostgreSQL's clock."""
    assert found(environ, "ids") == []
    with engine.begin() as connection:
        later = "clock_timestamp() + interval '1 min'"
        connection.execute(text(f"SELECT setval('message_ids', message_id_floor({later}))"))
    assert level(environ, "ids") is Level.WARN


def test_a_broadcast_that_fails_is_named(environ: Mapping[str, str], engine: Engine) -> None:
    """Which, of which app, why, and what tries it again at once."""
    assert level(environ, "broadcasts") is Level.OK
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, [1])
        [id] = accept(connection, a_broadcast())
        persistence.persist(connection, [id])
        failures.record_plan_failure(connection, id, error="no room")
    [finding] = found(environ, "broadcasts")
    assert finding.level is Level.FAIL
    assert finding.text == f"{id} of OA系统: 1 parts fail: no room"
    assert finding.mend.endswith(f"carillon broadcasts retry {id}")
