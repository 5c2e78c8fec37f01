"""`carillon doctor`: is everything well, and if not, what to do."""

import sys
from dataclasses import asdict

import click
from rich.console import Console  # noqa: TID251 (the type)

from ops.cli import find_gateway_url, read_environment
from ops.cli.terminal.printing import make_console, say_json
from ops.doctor.examination import examine
from ops.doctor.findings import Finding, Level, Site

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@click.command()
@click.option("--gateway", metavar="URL", help="A gateway to ask; of `carillon up` it is known.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def doctor(*, gateway: str | None, as_json: bool) -> None:
    """Examine database, schema, bus, broker, workers, media, gateway, disk and clocks.

    Each cause is told once, with what to do about it; what only follows from it is told with it. Exit code 1 if something fails; warnings alone are 0.
    """
    lines = make_console(soft_wrap=True)
    found = list(examine(Site(read_environment(), gateway or find_gateway_url())))
    if as_json:
        say_json([_describe(finding) for finding in found])
    else:
        for finding in found:
            _show(lines, finding)
    sys.exit(1 if any(finding.level is Level.FAIL for finding in found) else 0)


def _describe(finding: Finding) -> dict[str, object]:
    about = asdict(finding)
    del about["because"]  # what was told with another finding is in that one's `follows`
    return about


def _show(lines: Console, finding: Finding) -> None:
    lines.print(f"{finding.level:<4}", style=COLOURS[finding.level], end="")
    lines.print(f" {finding.name:<13}{finding.text}")
    if finding.mend and finding.level is not Level.OK:
        lines.print(f"{'':18} → {finding.mend}")
    for consequence in finding.follows:
        lines.print(f"{'':18} it follows: {consequence}")
    if finding.not_examined:
        lines.print(f"{'':18} not examined for its sake: {', '.join(finding.not_examined)}")
