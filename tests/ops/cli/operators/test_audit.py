"""`carillon audit`: what was done is listed, filtered and followed."""

import json
import subprocess
import sys
from collections.abc import Mapping

from sqlalchemy import Engine

from ops.local.polling import wait_until
from storage.model.operator import Actor, Role
from storage.postgres import audit
from tests.ops.cli.command import carillon


def act(engine: Engine, target: str, *, name: str = "app.disable", who: str = "cli:root") -> None:
    """A row of the audit."""
    with engine.begin() as connection:
        audit.record(
            connection,
            Actor(who, Role.ADMIN, "request-1", "192.0.2.1"),
            act=name,
            target=target,
            before={"is_active": True},
            after={"is_active": False},
        )


def test_what_was_done_is_said_in_a_line(environ: Mapping[str, str], engine: Engine) -> None:
    """A line has the instant, who, what, the target, the change and from where; the newest comes last."""
    assert carillon(environ, "audit").stdout == "Nothing was done.\n"
    act(engine, "app oa")
    act(engine, "app \x1b[31mcrm")
    first, second = carillon(environ, "audit").stdout.splitlines()
    assert first.endswith(
        "cli:root (admin)  app.disable  app oa  is_active: true → false  [192.0.2.1 request-1]"
    )
    assert "\\x1b[31mcrm" in second


def test_rows_are_found_by_who_what_and_when(environ: Mapping[str, str], engine: Engine) -> None:
    """The options choose rows, and --json prints each as an object on a line."""
    act(engine, "app oa")
    act(engine, "app crm", name="app.enable", who="token")

    def find(*options: object) -> list[str]:
        lines = carillon(environ, "audit", "--json", *options).stdout.splitlines()
        return [json.loads(line)["target"] for line in lines]

    assert find() == ["app oa", "app crm"]
    assert find("--limit", 1) == find("--who", "token") == ["app crm"]
    assert find("--act", "app.disable") == find("--target", "app oa") == ["app oa"]
    assert find("--since", "1h") == ["app oa", "app crm"]
    assert find("--since", "2099-01-01T00:00:00Z") == []
    assert carillon(environ, "audit", "--since", "yesterday").exit_code == 2


def test_what_is_done_meanwhile_is_followed(environ: Mapping[str, str], engine: Engine) -> None:
    """With --follow each new row is printed once, also one that commits after a later one."""
    act(engine, "app first")
    command = [sys.executable, "-c", "from ops.cli import main; main()", "audit", "--follow"]
    lines: list[str] = []
    with subprocess.Popen(
        command, env=dict(environ), stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        try:
            lines.append(process.stdout.readline())
            with engine.begin() as late:
                audit.record(late, Actor("cli:root", Role.ADMIN), act="x.y", target="app late")
                act(engine, "app second")
                lines.append(process.stdout.readline())
            lines.append(process.stdout.readline())
        finally:
            process.terminate()
    assert [line.split("app ")[-1].split()[0] for line in lines] == ["first", "second", "late"]
    assert wait_until(lambda: process.poll() is not None, seconds=10)
