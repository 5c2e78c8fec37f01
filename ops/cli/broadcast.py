"""`carillon broadcast`: one notification to everyone, over the HTTP API."""

from typing import Any

import click

from carillon_client import AppClient, BroadcastReport, NotFoundError
from ops.cli.identity.callers import as_app
from ops.cli.terminal.printing import say
from ops.cli.terminal.progress import count_bar
from storage.model.broadcast import BroadcastStatus
from storage.model.errors import PermanentError

_LOOK_EVERY_SECONDS = 0.3


@click.command()
@click.option("--app", "app_id", metavar="APP_ID", required=True, help="Send as this app.")
@click.option("--title", required=True)
@click.option("--content", required=True)
@click.option("--target-url", help="A button that signs on to the app and leads there.")
@click.option("--action-text", help="What the button says.")
@click.option("--secret", help="The app's; if not given, it is read from the database.")
@click.option("--url", help="Where the API is; the running stack if not given.")
@click.option("--watch", is_flag=True, help="Show how it goes until everyone has it.")
@click.option("--preview", is_flag=True, help="Send nothing; print how many people would get it.")
def broadcast(
    *,
    app_id: str,
    secret: str | None,
    url: str | None,
    watch: bool,
    preview: bool,
    **button_and_text: str | None,
) -> None:
    """Send a notification to everyone who is active. Prints the broadcast's id."""
    if preview and watch:
        raise click.UsageError("--preview sends nothing: there is nothing to --watch.")
    notice: dict[str, Any] = {
        name: value for name, value in button_and_text.items() if value is not None
    }
    notice |= {"auto_sso": True} if "target_url" in notice else {}
    with as_app(app_id, secret=secret, url=url) as api:
        if preview:
            say(str(api.preview_broadcast(**notice).total))
            return
        id = api.broadcast(**notice).id
        say(str(id))
        if watch:
            _print_outcome(follow(api, id))


def follow(api: AppClient, id: int) -> BroadcastReport:
    """Show the broadcast's progress until it has come to rest, and return its last report.

    Raises PermanentError if there is no such broadcast any more: it failed before it began.
    """
    report: BroadcastReport | None = None
    with count_bar("PENDING") as show:
        try:
            for report in api.follow_broadcast(id, every=_LOOK_EVERY_SECONDS):
                show(report.status, report.expanded, report.total, report.rate_per_second)
        except NotFoundError as error:
            raise PermanentError(
                f"The broadcast {id} is gone: see `carillon failed list`."
            ) from error
    assert report is not None  # noqa: S101 (the first look gives a report, or raises)
    return report


def _print_outcome(report: BroadcastReport) -> None:
    said = f"{report.status}: {report.expanded:,} of {report.total:,} people have it"
    rate = report.rate_per_second
    say(f"{said}." if rate is None else f"{said}, {rate:,.0f}/s.", err=True)
    if report.status != BroadcastStatus.DONE:
        raise PermanentError(f"The broadcast ended as {report.status}.")
