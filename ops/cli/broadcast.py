"""`carillon broadcast`: one notification to everyone, over the HTTP API."""

import time
from typing import Any

import click

from ops.api_client import ApiClient, RequestRefused
from ops.cli.identity.callers import as_app
from ops.cli.terminal.printing import say
from ops.cli.terminal.progress import count_bar
from storage.model.broadcast import BroadcastStatus
from storage.model.errors import PermanentError, TransientError

IN_PROGRESS = frozenset({"SCHEDULED", "PENDING", "EXPANDING", "RECALLING"})
_LOOK_EVERY_SECONDS = 0.3
_NOT_FOUND = 404


@click.command()
@click.option("--app", "app_id", metavar="APP_ID", required=True, help="Send as this app.")
@click.option("--title", required=True)
@click.option("--content", required=True)
@click.option("--target-url", help="A button that signs on to the app and leads there.")
@click.option("--action-text", help="What the button says.")
@click.option("--secret", help="The app's; if not given, it is read from the database.")
@click.option("--url", help="Where the API is; the running stack if not given.")
@click.option("--watch", is_flag=True, help="Show how it goes until everyone has it.")
def broadcast(
    *, app_id: str, secret: str | None, url: str | None, watch: bool, **button_and_text: str | None
) -> None:
    """Send a notification to everyone who is active. Prints the broadcast's id."""
    body: dict[str, Any] = {"type": "NOTIFICATION", "is_broadcast": True}
    body |= {name: value for name, value in button_and_text.items() if value is not None}
    body |= {"auto_sso": True} if "target_url" in body else {}
    with as_app(app_id, secret=secret, url=url) as api:
        id = api.post("/messages/", body)["id"]
        say(str(id))
        if watch:
            _print_outcome(follow(api, id))


def follow(api: ApiClient, id: int) -> dict[str, Any]:
    """Show the broadcast's progress until it has come to rest, and return its last report.

    Raises PermanentError if there is no such broadcast any more: it failed before it began.
    """
    with count_bar("PENDING") as show:
        while True:
            report = _fetch_report(api, id)
            if report is not None:
                status = report["status"]
                show(status, report["expanded"], report["total"], report["rate_per_second"])
                if status not in IN_PROGRESS:
                    return report
            time.sleep(_LOOK_EVERY_SECONDS)


def _fetch_report(api: ApiClient, id: int) -> dict[str, Any] | None:
    """The report now; None while the API is busy: the broadcast goes on whether somebody looks or not."""
    try:
        report: dict[str, Any] = api.get(f"/broadcasts/{id}")
    except TransientError:
        return None
    except RequestRefused as error:
        if error.status == _NOT_FOUND:
            raise PermanentError(
                f"The broadcast {id} is gone: see `carillon failed list`."
            ) from error
        raise
    return report


def _print_outcome(report: dict[str, Any]) -> None:
    said = f"{report['status']}: {report['expanded']:,} of {report['total']:,} people have it"
    rate = report["rate_per_second"]
    say(f"{said}." if rate is None else f"{said}, {rate:,.0f}/s.", err=True)
    if report["status"] != BroadcastStatus.DONE:
        raise PermanentError(f"The broadcast ended as {report['status']}.")
