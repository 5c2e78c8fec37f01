"""`carillon top`: queues, rates, broadcasts and sockets, live, until Ctrl-C."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ops.cli import read_environment
from ops.cli.terminal.printing import make_console, make_plain
from ops.doctor.record_checks import LATE_SECONDS
from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.model.errors import TransientError
from storage.model.pause import Pause
from storage.postgres import overview
from storage.postgres.database import BlockingDatabase
from storage.postgres.overview import Overview, RunningBroadcast
from storage.settings import DatabaseSettings, ValkeySettings, load
from storage.valkey import gateway_reports
from storage.valkey.gateway_reports import GatewayCounts

SHOWN_BROADCASTS = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stood at one instant, `at` (of time.monotonic).

    `rings`, by queue, is None if the broker did not answer; `gateways` is None if Valkey did not.
    """

    at: float
    overview: Overview
    rings: dict[str, int] | None
    gateways: GatewayCounts | None


class Watcher:
    """Takes snapshots. A server that is away is asked again for the next one."""

    def __init__(self) -> None:
        environ = read_environment()
        settings = load(DatabaseSettings, environ)
        self._database = BlockingDatabase(settings, application_name="carillon top")
        self._doorbell = Doorbell(load(QueueSettings, environ))
        self._valkey = load(ValkeySettings, environ)

    def take_snapshot(self) -> Snapshot:
        """See how things stand now. Raises TransientError if the database is away."""
        seen = self._database.transaction(overview.read_overview, limit=SHOWN_BROADCASTS)
        return Snapshot(time.monotonic(), seen, self._count_rings(), self._count_gateways())

    def close(self) -> None:
        """Close the connections."""
        self._doorbell.close()
        self._database.close()

    def _count_rings(self) -> dict[str, int] | None:
        try:
            return self._doorbell.queue_lengths()
        except Exception:  # noqa: BLE001 (kombu raises the drivers' errors, of many kinds)
            return None

    def _count_gateways(self) -> GatewayCounts | None:
        try:
            return gateway_reports.read_counts(self._valkey)
        except TransientError:
            return None


@click.command()
@click.option(
    "--every", default=1.0, show_default=True, type=click.FloatRange(0.1), help="Seconds."
)
@click.option("--once", is_flag=True, help="Print one look, with rates over one interval, and end.")
def top(*, every: float, once: bool) -> None:
    """Watch queues, broadcasts and sockets live; Ctrl-C ends it."""
    watcher = Watcher()
    screen = make_console()
    try:
        views = _render_views(watcher, every=every)
        if once:
            next(views)
            screen.print(next(views))
            return
        with Live(console=screen, auto_refresh=False, screen=screen.is_terminal) as live:
            for view in views:
                live.update(view, refresh=True)
    except KeyboardInterrupt:
        pass
    finally:
        watcher.close()


def _render_views(watcher: Watcher, *, every: float) -> Iterator[RenderableType]:
    """Yield a view every `every` seconds, without end; the first has no rates yet."""
    before: Snapshot | None = None
    while True:
        began = time.monotonic()
        try:
            now = watcher.take_snapshot()
        except TransientError as error:
            yield Text(make_plain(f"{error.detail} Trying again …"), style="bold red")
        else:
            yield render_snapshot(now, before)
            before = now
        time.sleep(max(0.0, began + every - time.monotonic()))


def render_snapshot(now: Snapshot, before: Snapshot | None) -> RenderableType:
    """A snapshot as tables, with rates since the one before; without rates if that is None."""
    backlog = now.overview.backlog
    table = Table.grid(padding=(0, 3))
    lines = (
        ("waiting", f"{backlog.waiting:,}", ""),
        (
            "oldest",
            f"{backlog.oldest_seconds:.1f} s",
            _choose_style(backlog.oldest_seconds > LATE_SECONDS),
        ),
        (
            "accepted",
            _render_rate(
                now, before, count_accepted(now), None if before is None else count_accepted(before)
            ),
            "",
        ),
        (
            "delivered",
            _render_rate(
                now,
                before,
                count_delivered(now),
                None if before is None else count_delivered(before),
            ),
            "",
        ),
        *(
            (("paused", _render_pauses(now.overview.pauses), "bold yellow"),)
            if backlog.paused
            else ()
        ),
        ("failed sends", f"{backlog.failed:,}", _choose_style(backlog.failed > 0)),
        ("events set aside", f"{backlog.set_aside:,}", _choose_style(backlog.set_aside > 0)),
        ("unread drift", f"{backlog.drifted:,}", _choose_style(backlog.drifted > 0)),
        ("rings", _render_rings(now.rings), _choose_style(now.rings is None)),
        ("sockets", _render_sockets(now, before), _choose_style(now.gateways is None)),
    )
    for name, text, style in lines:
        table.add_row(name, Text(text, style=style))
    return Group(table, Text(), _render_broadcasts(now.overview.running))


def count_accepted(snapshot: Snapshot) -> int:
    """How many ids were given out: one for each send that was accepted, scheduled ones included."""
    return snapshot.overview.ids_made


def count_delivered(snapshot: Snapshot) -> int:
    """How many of the sends that were accepted are not waiting any more."""
    return snapshot.overview.ids_made - snapshot.overview.backlog.waiting


def _render_pauses(paused: tuple[Pause, ...]) -> str:
    return ", ".join(make_plain(f"{one.kind} {one.target}") for one in paused)


def _choose_style(is_alarming: bool) -> str:
    return "bold red" if is_alarming else ""


def _render_rate(
    now: Snapshot, before: Snapshot | None, count: int, count_before: int | None
) -> str:
    if before is None or count_before is None:
        return "…"
    return f"{max(0.0, (count - count_before) / (now.at - before.at)):,.0f}/s"


def _render_rings(rings: dict[str, int] | None) -> str:
    if rings is None:
        return "the broker does not answer"
    return "  ".join(f"{queue} {count}" for queue, count in rings.items())


def _render_sockets(now: Snapshot, before: Snapshot | None) -> str:
    if now.gateways is None:
        return "Valkey does not answer"
    text = f"{now.gateways.sockets:,} on {now.gateways.processes} gateways"
    if before is None or before.gateways is None:
        return text
    return (
        f"{text}, {_render_rate(now, before, now.gateways.frames, before.gateways.frames)} frames"
    )


def _render_broadcasts(running: tuple[RunningBroadcast, ...]) -> RenderableType:
    if not running:
        return Text("No broadcast is running.", style="dim")
    table = Table("broadcast", "app", "status", "", "people", "rate", "left", box=None)
    for one in running:
        rate = one.rate_per_second
        left = (one.total - one.done) / rate if rate else None
        table.add_row(
            str(one.id),
            one.app_name,
            one.status,
            ProgressBar(total=one.total or 1, completed=one.done, width=30),
            f"{one.done:,} / {one.total:,}",
            f"{rate:,.0f}/s",
            "" if left is None else f"{left:.0f} s",
        )
    return table
