"""`carillon top` shows what is under way, and says what is away."""

from collections.abc import Mapping
from io import StringIO

from rich.console import Console
from sqlalchemy import Engine

from ops.cli.top import Snapshot, render_snapshot
from storage.model.broadcast import BroadcastStatus
from storage.postgres import overview
from storage.postgres.broadcasts import expansion
from storage.postgres.overview import Overview, RunningBroadcast
from storage.postgres.sends.backlog import Backlog
from storage.valkey.gateway_reports import GatewayCounts
from tests import services
from tests.builders import a_send, accept, add_app, add_people
from tests.ops.cli.command import carillon
from tests.storage.postgres.broadcasts.steps import LEASE, plan_all


def test_a_look_tells_what_waits_and_what_runs(engine: Engine) -> None:
    """Sends that wait, a broadcast on its way, and how many ids were given out."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 26))
        before = overview.read_overview(connection, limit=10)
    plan_all(engine)
    with engine.begin() as connection:
        accept(connection, a_send(), a_send())
        expansion.expand_next(connection, lease=LEASE)
        seen = overview.read_overview(connection, limit=10)
    [running] = seen.running
    assert (running.app_name, running.total, running.done) == ("OA系统", 25, 10)
    assert running.status is BroadcastStatus.EXPANDING
    assert (seen.backlog.waiting, seen.backlog.people_left) == (2, 15)
    assert seen.ids_made - before.ids_made == 3


def test_it_is_seen_in_full() -> None:
    """A view shows the rates between two snapshots, broadcasts with their rate and time left, sockets and frames."""
    running = RunningBroadcast(12, "OA[系统]", BroadcastStatus.EXPANDING, 1000, 250, 5.0)
    first = Snapshot(10.0, _overview(waiting=30, ids=100), None, GatewayCounts(2, 7, 100, 0))
    second = Snapshot(
        12.0,
        _overview(running, waiting=10, ids=160),
        {"sends": 1, "broadcasts": 0, "upkeep": 0},
        GatewayCounts(2, 9, 300, 0),
    )
    shown = _text(second, first)
    for part in (
        "30/s",
        "40/s",
        "sends 1",
        "9 on 2 gateways, 100/s frames",
        "OA[系统]",
        "250 / 1,000",
        "50/s",
        "15 s",
    ):
        assert part in shown, shown
    assert "does not answer" in _text(first, None)


def test_one_look_of_a_running_stack(stack: services.Stack) -> None:
    """With `--once`, one view with rates is printed and the command ends."""
    done = carillon(stack.environ, "top", "--once", "--every", "0.2")
    assert done.exit_code == 0, done.output
    assert "waiting" in done.stdout
    assert "on 1 gateways" in done.stdout
    assert "sends 0" in done.stdout


def test_a_database_that_is_away_is_said(environ: Mapping[str, str]) -> None:
    """If the database is away, `top` says so and asks again for the next view."""
    away = {**environ, "CARILLON_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    done = carillon(away, "top", "--once", "--every", "0.1")
    assert done.exit_code == 0, done.output
    assert "cannot be reached" in done.stdout
    assert "Trying again" in done.stdout


def _overview(*running: RunningBroadcast, waiting: int, ids: int) -> Overview:
    backlog = Backlog(waiting=waiting, oldest_seconds=1.5, failed=0)
    return Overview(backlog, running, ids)


def _text(now: Snapshot, before: Snapshot | None) -> str:
    out = StringIO()
    Console(width=140, file=out).print(render_snapshot(now, before))
    return out.getvalue()
