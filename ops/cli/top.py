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
from storage.postgres import overview
from storage.postgres.database import BlockingDatabase
from storage.postgres.overview import Overview, RunningBroadcast
from storage.settings import DatabaseSettings, ValkeySettings, load
from storage.valkey import gateway_reports
from storage.valkey.gateway_reports import GatewayCounts

SHOWN_BROADCASTS = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen at one instant; `rings` by queue and `gateways` are None where nobody answered."""

    at: float
    overview: Overview
    rings: dict[str, int] | None
    gateways: GatewayCounts | None


class Watcher:
    """Looks again and again; what is away now is asked again at the next look."""

    def __init__(self) -> None:
        environ = read_environment()
        settings = load(DatabaseSettings, environ)
        self._database = BlockingDatabase(settings, application_name="carillon top")
        self._doorbell = Doorbell(load(QueueSettings, environ))
        self._valkey = load(ValkeySettings, environ)

    def look(self) -> Snapshot:
        """See how things stand. Raises TransientError when the database is away."""
        seen = self._database.transaction(overview.read_overview, limit=SHOWN_BROADCASTS)
        return Snapshot(time.monotonic(), seen, self._rings(), self._gateways())

    def close(self) -> None:
        """Hang up."""
        self._doorbell.close()
        self._database.close()

    def _rings(self) -> dict[str, int] | None:
        try:
            return self._doorbell.queue_lengths()
        except Exception:  # noqa: BLE001 (kombu raises the drivers' errors, of many kinds)
            return None

    def _gateways(self) -> GatewayCounts | None:
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
        views = _views(watcher, every=every)
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


def _views(watcher: Watcher, *, every: float) -> Iterator[RenderableType]:
    """One view an interval, without end; the first has no rates yet."""
    before: Snapshot | None = None
    while True:
        began = time.monotonic()
        try:
            now = watcher.look()
        except TransientError as error:
            yield Text(make_plain(f"{error.detail} Trying again …"), style="bold red")
        else:
            yield render_snapshot(now, before)
            before = now
        time.sleep(max(0.0, began + every - time.monotonic()))


def render_snapshot(now: Snapshot, before: Snapshot | None) -> RenderableType:
    """A look as tables; rates since the look before."""
    backlog = now.overview.backlog
    table = Table.grid(padding=(0, 3))
    lines = (
        ("waiting", f"{backlog.waiting:,}", ""),
        (
            "oldest",
            f"{backlog.oldest_seconds:.1f} s",
            _alarming(backlog.oldest_seconds > LATE_SECONDS),
        ),
        (
            "accepted",
            _rate(
                now, before, count_accepted(now), None if before is None else count_accepted(before)
            ),
            "",
        ),
        (
            "delivered",
            _rate(
                now,
                before,
                count_delivered(now),
                None if before is None else count_delivered(before),
            ),
            "",
        ),
        ("failed sends", f"{backlog.failed:,}", _alarming(backlog.failed > 0)),
        ("events set aside", f"{backlog.set_aside:,}", _alarming(backlog.set_aside > 0)),
        ("unread drift", f"{backlog.drifted:,}", _alarming(backlog.drifted > 0)),
        ("rings", _rings(now.rings), _alarming(now.rings is None)),
        ("sockets", _sockets(now, before), _alarming(now.gateways is None)),
    )
    for name, text, style in lines:
        table.add_row(name, Text(text, style=style))
    return Group(table, Text(), _broadcasts(now.overview.running))


def count_accepted(look: Snapshot) -> int:
    """Ids given out: what was accepted, scheduled or not."""
    return look.overview.ids_made


def count_delivered(look: Snapshot) -> int:
    """Of those, what is not waiting any more."""
    return look.overview.ids_made - look.overview.backlog.waiting


def _alarming(is_so: bool) -> str:
    return "bold red" if is_so else ""


def _rate(now: Snapshot, before: Snapshot | None, count: int, count_before: int | None) -> str:
    if before is None or count_before is None:
        return "…"
    return f"{max(0.0, (count - count_before) / (now.at - before.at)):,.0f}/s"


def _rings(rings: dict[str, int] | None) -> str:
    if rings is None:
        return "the broker does not answer"
    return "  ".join(f"{queue} {count}" for queue, count in rings.items())


def _sockets(now: Snapshot, before: Snapshot | None) -> str:
    if now.gateways is None:
        return "Valkey does not answer"
    text = f"{now.gateways.sockets:,} on {now.gateways.processes} gateways"
    if before is None or before.gateways is None:
        return text
    return f"{text}, {_rate(now, before, now.gateways.frames, before.gateways.frames)} frames"


def _broadcasts(running: tuple[RunningBroadcast, ...]) -> RenderableType:
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
