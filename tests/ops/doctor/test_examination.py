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
from tests.ops.doctor.findings import find, find_level

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


def test_each_server_that_is_away_is_one_cause(environ: Mapping[str, str]) -> None:
    """Three servers that cannot be reached are three failures, each with what to do; the exit code is 1."""
    away = {
        **environ,
        "CARILLON_DATABASE_URL": f"postgresql://x:hidden@{NOWHERE}/x",
        "CARILLON_VALKEY_URL": f"redis://:hidden@{NOWHERE}/0",
    }
    done = carillon(away, "doctor", "--gateway", f"http://{NOWHERE}", "--json")
    assert done.exit_code == 1
    assert "hidden" not in done.stdout + done.stderr
    failed = {one["name"]: one for one in json.loads(done.stdout) if one["level"] == "FAIL"}
    assert failed.keys() == {"database", "valkey", "gateway"}, done.stdout
    for one in failed.values():
        assert f"nobody listens at {NOWHERE}" in one["text"]
        assert one["mend"].startswith("Start it")
    assert "schema" in failed["database"]["not_examined"]
    assert failed["valkey"]["follows"] == ["broker: the same."]
    assert failed["valkey"]["not_examined"] == ["workers"]


def test_what_is_folded_is_shown_with_its_cause(environ: Mapping[str, str]) -> None:
    """In a terminal a cause, its remedy and what hangs on it stand below one another."""
    away = {**environ, "CARILLON_DATABASE_URL": f"postgresql://x:y@{NOWHERE}/x"}
    shown = carillon(away, "doctor").stdout
    cause, mend, left_out = shown.splitlines()[:3]
    assert cause.startswith("FAIL database ")
    assert mend.strip().startswith("→ Start it")
    assert "not examined for its sake: schema, sessions" in left_out


def test_a_frozen_server_is_a_finding_and_not_a_hang(environ: Mapping[str, str]) -> None:
    """A Valkey that takes connections and never answers is a failure, found in time."""
    with services.valkey() as server:
        frozen = {**environ, "CARILLON_VALKEY_URL": server.url}
        server.freeze()
        try:
            [finding] = find(frozen, "valkey")
            assert finding.level is Level.FAIL
            assert "takes connections and says nothing" in finding.text
            assert find_level(frozen, "broker") is Level.FAIL
        finally:
            server.thaw()
