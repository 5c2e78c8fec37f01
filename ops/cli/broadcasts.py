"""`carillon broadcasts`: look at what apps have broadcast, stop it, take it back, try again what fails.

It works on the record: it needs no app's secret and no running API, and works for apps that are disabled.
"""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.table import Column, Table

from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import make_console, say, say_json
from ops.cli.terminal.progress import count_bar
from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.model.errors import NotFound, PermanentError
from storage.postgres import overview
from storage.postgres.acts import broadcasts as acts
from storage.postgres.broadcasts import cancellation, reports
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps

_IN_PROGRESS = frozenset({"SCHEDULED", "PENDING", "EXPANDING", "RECALLING"})
_LOOK_EVERY_SECONDS = 0.3
_OF_APP = click.option("--app", "app_id", metavar="APP_ID", help="Of this app only.")


@click.group()
def broadcasts() -> None:
    """What apps have broadcast: list, show, cancel, recall, retry."""


@broadcasts.command("list")
@_OF_APP
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100))
@click.option("--before", "before_id", type=int, help="Continue before this id.")
def list_(*, app_id: str | None, limit: int, before_id: int | None) -> None:
    """The last accepted first, also those that are not due yet."""
    with open_database() as database:
        lines = database.transaction(
            overview.list_latest_broadcasts,
            limit=limit,
            before_id=before_id,
            app_id=_find_app_id(database, app_id),
        )
    whole_id = Column("id", min_width=16, no_wrap=True)  # it is what the other commands ask for
    table = Table(whole_id, "app", "status", "people", "have it", "read", "recalled", "created at")
    for one in lines:
        status = f"{one.status} (held)" if one.is_held else one.status
        status += f" ({one.failing:,} parts fail)" if one.failing else ""
        counts = (one.total, one.expanded, one.read, one.recalled)
        shown = [f"{count:,}" for count in counts]
        when = one.created_at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(one.id), one.app_name, status, *shown, when)
    make_console().print(table if lines else "Nothing has been broadcast.")


@broadcasts.command()
@_OF_APP
@click.argument("id", type=int)
@click.option("--watch", is_flag=True, help="Show how it goes until it has come to rest.")
def show(*, id: int, app_id: str | None, watch: bool) -> None:
    """The whole report, as JSON; `last_error` is why a part of it fails now."""
    with open_database() as database:
        report = _find_report(database, id, app_id)
        _print(_follow(database, report) if watch else report)


@broadcasts.command()
@_OF_APP
@click.argument("id", type=int)
def cancel(*, id: int, app_id: str | None) -> None:
    """Stop it: what is not delivered yet never will be; what was stays. Prints the report."""
    with open_database() as database:
        _find_report(database, id, app_id)
        database.transaction(acts.cancel, find_actor(), id=id)
        database.transaction(cancellation.discard_waiting, id)
        report = _find_report(database, id)
    if report.status is not BroadcastStatus.CANCELLED:
        raise PermanentError(f"It cannot be stopped any more: it is {report.status}.")
    _print(report)


@broadcasts.command()
@_OF_APP
@click.argument("id", type=int)
@click.option("--no-wait", is_flag=True, help="Do not wait until it is gone everywhere.")
def recall(*, id: int, app_id: str | None, no_wait: bool) -> None:
    """Take it back, out of every history. Safe to repeat and to interrupt. Prints the report."""
    with open_database() as database:
        _find_report(database, id, app_id)
        begin_recall(database, id)
        report = _find_report(database, id)
        _print(report if no_wait else _follow(database, report))


def begin_recall(database: BlockingDatabase, id: int) -> None:
    """Have the lanes take a broadcast out of every history; the sweep rings for them. Safe to repeat."""
    database.transaction(acts.start_recall, find_actor(), id=id)
    database.transaction(cancellation.discard_waiting, id)


@broadcasts.command()
@_OF_APP
@click.argument("id", type=int)
def retry(*, id: int, app_id: str | None) -> None:
    """Have what of it fails tried at once, instead of after its pause."""
    with open_database() as database:
        _find_report(database, id, app_id)
        count = database.transaction(acts.retry, find_actor(), id=id)
    say(f"{count} parts are tried now.")


def _find_app_id(database: BlockingDatabase, app_id: str | None) -> int | None:
    if app_id is None:
        return None
    found = database.transaction(apps.find, app_id)
    if found is None:
        raise NotFound(f"There is no app {app_id}.")
    return found.id


def _find_report(database: BlockingDatabase, id: int, app_id: str | None = None) -> BroadcastReport:
    found = database.transaction(reports.find_report, id, app_id=_find_app_id(database, app_id))
    if found is None:
        raise NotFound(f"There is no broadcast {id}.")
    return found


def _follow(database: BlockingDatabase, report: BroadcastReport) -> BroadcastReport:
    """Show the broadcast's progress until it has come to rest; the last report."""
    began = time.monotonic()
    with count_bar(report.status) as bar:
        while report.status in _IN_PROGRESS:
            if report.status is BroadcastStatus.RECALLING:
                rate = report.recalled / max(time.monotonic() - began, 0.001)
                bar(report.status, report.recalled, report.expanded, rate)
            else:
                bar(report.status, report.expanded, report.total, report.rate_per_second)
            time.sleep(_LOOK_EVERY_SECONDS)
            report = _find_report(database, report.id)
    return report


def _print(report: BroadcastReport) -> None:
    shown = {name: _to_json(value) for name, value in asdict(report).items()}
    shown["held"] = shown.pop("is_held")
    say_json(shown)


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
