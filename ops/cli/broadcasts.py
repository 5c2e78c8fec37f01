"""`carillon broadcasts`: what an app has broadcast; look, stop, take back. Over the HTTP API."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click
from rich.table import Column, Table

from ops.api_client import ApiClient
from ops.cli.broadcast import follow
from ops.cli.callers import as_app
from ops.cli.printing import console, say, say_json
from ops.cli.progress import count_bar
from ops.cli.servers import record
from storage import broadcast_failures, broadcast_reports
from storage.model.broadcast import BroadcastStatus
from storage.model.errors import NeverWillWork, NotFound, TryLater

Command = TypeVar("Command", bound=Callable[..., None])
_LOOK_EVERY_SECONDS = 0.3


def _as_an_app(command: Command) -> Command:
    """The options of every command here: which app asks, and how."""
    for option in (
        click.option("--url", help="Where the API is; the running stack if not given."),
        click.option("--secret", help="The app's; if not given, it is read from the database."),
        click.option("--app", "app_id", metavar="APP_ID", required=True, help="As this app."),
    ):
        command = option(command)
    return command


@click.group()
def broadcasts() -> None:
    """What an app has broadcast: list, show, cancel, recall."""


@broadcasts.command("list")
@_as_an_app
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100))
@click.option("--before", "before_id", type=int, help="Continue before this id.")
def list_(
    *, app_id: str, secret: str | None, url: str | None, limit: int, before_id: int | None
) -> None:
    """The newest first, scheduled ones too."""
    window = {"limit": limit} | ({} if before_id is None else {"before_id": before_id})
    with as_app(app_id, secret=secret, url=url) as api:
        reports = api.get("/broadcasts", **window)
    whole_id = Column("id", min_width=16, no_wrap=True)  # it is what the other commands ask for
    table = Table(whole_id, "status", "people", "have it", "read", "recalled", "created at")
    for one in reports:
        counts = (one["total"], one["expanded"], one["read"], one["recalled"])
        shown = [f"{count:,}" for count in counts]
        table.add_row(str(one["id"]), one["status"], *shown, one["created_at"])
    console().print(table if reports else "This app has broadcast nothing.")


@broadcasts.command()
@_as_an_app
@click.argument("id", type=int)
@click.option("--watch", is_flag=True, help="Show how it goes until it has come to rest.")
def show(*, id: int, app_id: str, secret: str | None, url: str | None, watch: bool) -> None:
    """The whole report, as JSON."""
    with as_app(app_id, secret=secret, url=url) as api:
        report = api.get(f"/broadcasts/{id}")
        if watch:
            report = follow(api, id)
    _print(report)


@broadcasts.command()
@_as_an_app
@click.argument("id", type=int)
def cancel(*, id: int, app_id: str, secret: str | None, url: str | None) -> None:
    """Stop it: what is not delivered yet never will be; what was stays. Prints the report."""
    with as_app(app_id, secret=secret, url=url) as api:
        report = api.post(f"/broadcasts/{id}/cancel", {})
    if report["status"] != BroadcastStatus.CANCELLED:
        raise NeverWillWork(f"It cannot be stopped any more: it is {report['status']}.")
    _print(report)


@broadcasts.command()
@_as_an_app
@click.argument("id", type=int)
@click.option("--no-wait", is_flag=True, help="Do not wait until it is gone everywhere.")
def recall(*, id: int, app_id: str, secret: str | None, url: str | None, no_wait: bool) -> None:
    """Take it back, out of every history. Safe to repeat and to interrupt. Prints the report."""
    with as_app(app_id, secret=secret, url=url) as api:
        api.get(f"/broadcasts/{id}")  # a message that is no broadcast is refused here
        api.delete(f"/messages/{id}")
        report = api.get(f"/broadcasts/{id}") if no_wait else _follow_recall(api, id)
    _print(report)


@broadcasts.command()
@click.argument("id", type=int)
def retry(*, id: int) -> None:
    """Have what of it fails tried at once, instead of after its pause."""
    with record() as database:
        if database.run(broadcast_reports.report, id, app_id=None) is None:
            raise NotFound(f"There is no broadcast {id}.")
        count = database.run(broadcast_failures.retry, id)
    say(f"{count} parts are tried now.")


def _follow_recall(api: ApiClient, id: int) -> dict[str, Any]:
    """Show how many have been taken back until all are; the last report."""
    began = time.monotonic()
    with count_bar(BroadcastStatus.RECALLING) as bar:
        while True:
            try:
                report: dict[str, Any] = api.get(f"/broadcasts/{id}")
            except TryLater:
                time.sleep(_LOOK_EVERY_SECONDS)
                continue
            rate = report["recalled"] / max(time.monotonic() - began, 0.001)
            bar(report["status"], report["recalled"], report["expanded"], rate)
            if report["status"] != BroadcastStatus.RECALLING:
                return report
            time.sleep(_LOOK_EVERY_SECONDS)


def _print(report: dict[str, Any]) -> None:
    say_json(report)
