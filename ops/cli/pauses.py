"""`carillon pause`, `resume` and `pauses`: stop the work of a queue, or everything of an app, for a while.

It works on the record, so it also works while the API is down. Sends are accepted meanwhile.
"""

from datetime import datetime
from typing import Any

import click
from rich.table import Table

from ingest.settings import IngestSettings
from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.moments import Moment
from ops.cli.terminal.printing import make_console, say, say_json
from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, SENDS, QueueSettings
from storage.model.pause import Pause, PauseKind
from storage.postgres import pauses as record
from storage.postgres.sends import backlog, held_sends
from storage.settings import load

_KIND = click.Choice([kind.value for kind in PauseKind])
_END = "%Y-%m-%d %H:%M:%S %z"


@click.command()
@click.argument("kind", type=_KIND)
@click.argument("name")
@click.option("--until", type=Moment(), help="When it ends by itself; else when somebody resumes.")
@click.option("--reason", default="", metavar="TEXT", help="Shown to other operators.")
def pause(*, kind: str, name: str, until: datetime | None, reason: str) -> None:
    """Pause the queue sends or broadcasts, or an app by its string id.

    Sends are accepted as ever, and nothing is lost: what waits goes on in its order after `carillon
    resume`. What a worker has in hand is finished. Pausing again changes the reason and the end.
    """
    with open_database() as database:
        change = database.transaction(
            record.pause,
            PauseKind(kind),
            name,
            reason=reason,
            until=until,
            actor=find_actor(),
        )
    say(f"The {kind} {name} is paused; sends are accepted and wait.")
    if change.after and change.after.until:
        say(f"It ends by itself at {change.after.until.astimezone().strftime(_END)}.")
    say(f"To end it: carillon resume {kind} {name}")


@click.command()
@click.argument("kind", type=_KIND)
@click.argument("name")
def resume(*, kind: str, name: str) -> None:
    """End the pause of a queue or an app: what waited goes on, in its order. Safe to repeat."""
    with open_database() as database:
        change = database.transaction(record.resume, PauseKind(kind), name, actor=find_actor())
    doorbell = Doorbell(load(QueueSettings, read_environment()))
    for queue in (SENDS, BROADCASTS):
        doorbell.ring(queue)
    doorbell.close()
    say(f"The {kind} {name} {'goes on' if change.before else 'was not paused'}.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def pauses(*, as_json: bool) -> None:
    """What is paused, since when, by whom, until when, and how many sends of apps are put aside."""
    with open_database() as database:
        found = database.transaction(record.list_pauses)
        held = database.transaction(held_sends.count_held)
        waiting = database.transaction(backlog.measure_backlog)
    if as_json:
        say_json(
            {
                "pauses": [_show(one) for one in found],
                "held_sends": held,
                "waiting": waiting.waiting,
            }
        )
        return
    table = Table("kind", "what", "since", "until", "by", "reason")
    for one in found:
        until = one.until.astimezone().strftime(_END) if one.until else "it is resumed"
        since = one.paused_at.astimezone().strftime(_END)
        table.add_row(one.kind, one.target, since, until, one.paused_by, one.reason)
    make_console().print(table if found else "Nothing is paused.")
    if waiting.are_sends_paused:
        cap = load(IngestSettings, read_environment()).accepted_cap
        say(f"{waiting.waiting:,} sends wait; at {cap:,} further ones are answered 503.")
    for app_id, count in held.items():
        say(f"{count:,} sends of {app_id} are put aside.")


def _show(one: Pause) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "target": one.target,
        "reason": one.reason,
        "paused_by": one.paused_by,
        "paused_at": one.paused_at.isoformat(),
        "until": one.until.isoformat() if one.until else None,
    }
