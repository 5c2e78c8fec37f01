"""What doctor says of apps' endpoints."""

from collections.abc import Mapping

import pytest
from sqlalchemy import Engine

from ops.doctor import endpoint_checks
from ops.doctor.findings import Level
from tests.ops.doctor.findings import find
from tests.storage.postgres.app_events.test_pushing import add_waiting_event, change


def test_without_apps_that_asked_there_is_nothing_to_say(environ: Mapping[str, str]) -> None:
    """A deployment without endpoints is told nothing of them."""
    assert find(environ, "callbacks") == []


def test_an_endpoint_that_nobody_calls_is_a_failure(
    environ: Mapping[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While events wait and no worker calls, the command that starts one is named; with a little patience nothing is wrong."""
    add_waiting_event(engine)
    [finding] = find(environ, "callbacks")
    assert finding.level is Level.FAIL
    assert "worker -Q callbacks" in finding.mend
    monkeypatch.setattr(endpoint_checks, "LATE_SECONDS", 1e9)
    [finding] = find(environ, "callbacks")
    assert (finding.level, finding.text) == (Level.OK, "1 endpoints take what they are told.")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("status = 'PAUSED', attempts = 9", "is PAUSED"),
        ("status = 'OFF', attempts = 1", "is OFF"),
        ("attempts = 1, next_try_at = clock_timestamp() + interval '1 hour'", "fails"),
    ],
)
def test_an_endpoint_that_fails_is_named(
    values: str, said: str, environ: Mapping[str, str], engine: Engine
) -> None:
    """A stopped or failing endpoint is named with its last error and the command that has it called again."""
    add_waiting_event(engine)
    change(engine, "app_callbacks", f"{values}, last_error = 'It answered 500.'")
    [finding] = find(environ, "callbacks")
    assert finding.level is Level.WARN
    assert f"app_7 {said}; 1 events wait: It answered 500." in finding.text
    assert finding.mend.endswith("carillon callbacks resume app_7")
