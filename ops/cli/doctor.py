"""`carillon doctor`: is everything well, and if not, what to do."""

import json
import sys
from dataclasses import asdict

import click
from rich.console import Console

from ops.cli import environment, known_gateway
from ops.doctor import Finding, Level, Site, examine

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@click.command()
@click.option("--gateway", metavar="URL", help="A gateway to ask; of `carillon up` it is known.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def doctor(*, gateway: str | None, as_json: bool) -> None:
    """Examine database, schema, queue, bus, workers, gateway and clocks.

    Exit code 1 if something fails; warnings alone are 0.
    """
    found = []
    console = Console(highlight=False, soft_wrap=True)
    for finding in examine(Site(environment(), gateway or known_gateway())):
        found.append(finding)
        if not as_json:
            _show(console, finding)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    sys.exit(1 if any(finding.level is Level.FAIL for finding in found) else 0)


def _show(console: Console, finding: Finding) -> None:
    colour = COLOURS[finding.level]
    console.print(f"[{colour}]{finding.level:<4}[/] {finding.name:<13}", end="")
    console.print(finding.text, markup=False)
    if finding.mend and finding.level is not Level.OK:
        console.print(f"{'':18} → {finding.mend}", markup=False)
