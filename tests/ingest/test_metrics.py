"""What an ingest process tells Prometheus of pauses."""

import pytest

from ingest.metrics import IngestMetrics
from storage.postgres.sends.backlog import Backlog

pytestmark = pytest.mark.pure


def show(metrics: IngestMetrics, *paused: tuple[str, str]) -> dict[str, float]:
    """The series of `carillon_paused` after these pauses were shown: 1 or 0, by kind and target."""
    metrics.show_backlog(Backlog(waiting=0, oldest_seconds=0.0, failed=0, paused=paused))
    lines = metrics.export().decode().splitlines()
    found = [line.rsplit(" ", 1) for line in lines if line.startswith("carillon_paused{")]
    return {name: float(value) for name, value in found}


def test_a_pause_is_shown_while_it_lasts() -> None:
    """Queues always have their series; an app has one from its first pause, which goes back to 0."""
    metrics = IngestMetrics()
    assert set(show(metrics).values()) == {0.0}
    app = 'carillon_paused{kind="app",target="oa"}'
    sends = 'carillon_paused{kind="queue",target="sends"}'
    during = show(metrics, ("queue", "sends"), ("app", "oa"))
    assert (during[app], during[sends]) == (1.0, 1.0)
    after = show(metrics)
    assert (after[app], after[sends]) == (0.0, 0.0)


def test_a_hundred_paused_apps_do_not_make_a_hundred_series() -> None:
    """The first apps have a series each, all others share one."""
    metrics = IngestMetrics()
    shown = show(metrics, *[("app", f"a{number}") for number in range(100)])
    assert len(shown) == 2 + 20 + 1
    assert set(show(metrics).values()) == {0.0}
