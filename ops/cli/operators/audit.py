"""`carillon audit`: what operators and commands did, newest last."""

import time
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import click
import orjson

from ops.cli.servers import open_database
from ops.cli.terminal.moments import Moment
from ops.cli.terminal.printing import say
from storage.postgres import audit as record
from storage.postgres.audit import AuditRow

_LOOK_EVERY_SECONDS = 1.0
# Of the newest so many rows those that are new are shown: not those behind the last id, because rows get their ids before
# they are committed, and one with a lower id may come after one with a higher.
_WINDOW = 500
_MOST = 10_000
_INSTANT = "%Y-%m-%d %H:%M:%S"


@click.command()
@click.option("--since", type=Moment(is_past=True), help="From then on, such as 2h or 7d ago.")
@click.option("--who", help="Of this operator only: a name, token, or cli:ACCOUNT.")
@click.option("--act", help="This act only, such as broadcast.recall, or refused.")
@click.option("--target", help="What was done to this only, such as “app oa”, “user 7”.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--follow", is_flag=True, help="Go on with what is done from now on.")
def audit(
    *,
    since: datetime | None,
    who: str | None,
    act: str | None,
    target: str | None,
    limit: int,
    as_json: bool,
    follow: bool,
) -> None:
    """What was done to the deployment, by whom and from where; the last acts, oldest first."""
    list_rows = partial(record.list_rows, who=who, act=act, target=target)
    with open_database() as database:
        # Before the list, so that nothing is lost between the two.
        known = {row.id for row in database.transaction(list_rows, limit=_WINDOW)}
        rows = database.transaction(list_rows, limit=limit, since=since)
        for row in reversed(rows):
            _print(row, as_json=as_json)
        if not rows and not follow and not as_json:
            say("Nothing was done.")
        known |= {row.id for row in rows}
        while follow:
            rows = database.transaction(list_rows, limit=_WINDOW)
            for row in reversed(rows):
                if row.id not in known:
                    _print(row, as_json=as_json)
            known |= {row.id for row in rows}
            time.sleep(_LOOK_EVERY_SECONDS)


def _print(row: AuditRow, *, as_json: bool) -> None:
    if as_json:
        say(orjson.dumps(asdict(row)).decode())
        return
    when = row.at.astimezone().strftime(_INSTANT)
    change = _describe_change(row)
    where = " ".join(filter(None, (row.address, row.request_id)))
    parts = (when, f"{row.who} ({row.role})", row.act, row.target, change, where and f"[{where}]")
    say("  ".join(filter(None, parts)))


def _describe_change(row: AuditRow) -> str:
    before, after = row.before or {}, row.after or {}
    names = list(dict.fromkeys((*before, *after)))
    return ", ".join(
        f"{name}: {_write(before[name])} → {_write(after[name])}"
        if name in before and name in after
        else f"{name}: {_write(before.get(name, after.get(name)))}"
        for name in names
    )


def _write(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
