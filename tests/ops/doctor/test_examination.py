"""`carillon doctor` as a whole: content with a healthy stack, and never stuck."""

import json
from collections.abc import Mapping

from ops.doctor.findings import Level
from ops.local.polling import wait_until
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import BROADCASTS, SENDS, UPKEEP, QueueSettings
from storage.settings import load
from tests import services
from tests.ops.cli.command import carillon
from tests.ops.doctor.findings import find_level

NOWHERE = "127.0.0.1:1"


def test_a_running_stack_is_well_but_for_what_tests_spare(stack: services.Stack) -> None:
    """In a running stack the only finding is that PostgreSQL under test does not sync its disk."""
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
    """Each server that cannot be reached is a finding with what to do, and the exit code is 1."""
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


def test_a_frozen_server_is_a_finding_and_not_a_hang(environ: Mapping[str, str]) -> None:
    """A Valkey that takes connections and never answers is a failure, found in time."""
    with services.valkey() as server:
        frozen = {**environ, "CARILLON_VALKEY_URL": server.url}
        server.freeze()
        try:
            assert find_level(frozen, "valkey") is Level.FAIL
            assert find_level(frozen, "broker") is Level.FAIL
        finally:
            server.thaw()
