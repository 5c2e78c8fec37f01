"""Who runs a command, and that what commands change is written down under that name."""

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ops.cli import actor
from ops.cli.actor import find_actor
from storage.model.operator import Role
from storage.postgres import audit
from storage.postgres.audit import AuditRow
from tests.builders import a_broadcast, a_send, accept
from tests.ops.cli.command import add_app_with_people, carillon

pytestmark = pytest.mark.quick


def read_acts(engine: Engine) -> list[AuditRow]:
    """The rows of the audit, oldest first."""
    with engine.begin() as connection:
        return audit.list_rows(connection, limit=100)[::-1]


def test_the_actor_is_who_signed_in_to_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The name is that of the account that signed in, also after sudo; else the process's; and no variable changes it."""
    own = pwd.getpwuid(os.geteuid()).pw_name
    for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody.else")
    login = tmp_path / "loginuid"
    monkeypatch.setattr(actor, "LOGIN", login)
    found = find_actor()
    assert (found.name, found.role, found.is_named) == (f"cli:{own}", Role.ADMIN, False)
    assert found.address
    for written, name in (("4294967295", own), ("1", pwd.getpwuid(1).pw_name), ("2147483641", "2147483641"), ("", own)):  # fmt: skip
        login.write_text(written)
        assert find_actor().name == f"cli:{name}"


def test_what_commands_change_is_in_the_audit(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """Every command that changes people, apps and accounts leaves a row with its account and what it changed."""
    name = add_app_with_people(environ, tmp_path)
    for arguments in (("app", "rotate-secret", name), ("app", "disable", name), ("user", "disable", "501"), ("user", "enable", "501")):  # fmt: skip
        assert carillon(environ, *arguments).exit_code == 0, arguments
    rows = read_acts(engine)
    assert [(row.act, row.target) for row in rows] == [
        ("user.import", "users"),
        ("app.add", f"app {name}"),
        ("mapping.import", f"app {name}"),
        ("app.rotate-secret", f"app {name}"),
        ("app.disable", f"app {name}"),
        ("user.disable", "user 501"),
        ("user.enable", "user 501"),
    ]
    assert {row.who for row in rows} == {find_actor().name}
    assert rows[0].after == {"added": 2, "changed": 0, "let_in": 0, "roles": 0, "shut_out": 0}
    assert rows[1].after is not None
    assert rows[1].after["callback_url"] == "https://a.cn/cb"
    assert rows[2].after == {"added": 1, "changed": 0}
    assert (rows[4].before, rows[4].after) == ({"is_active": True}, {"is_active": False})
    assert (rows[5].before, rows[5].after) == ({"status": "ACTIVE"}, {"status": "DISABLED"})
    assert not re.search("张三|李四", str(rows))


def test_what_commands_do_to_messages_is_in_the_audit(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """Recalls, cancels, retries, replays and drops leave a row each, and so does reading a text; what finds nothing leaves none."""
    with engine.begin() as connection:
        first, second, message = accept(connection, a_broadcast(), a_broadcast(), a_send())
        dead = accept(connection, a_send(), a_send(), a_send())
        connection.execute(
            text(
                "WITH gone AS (DELETE FROM accepted WHERE id = ANY(:ids) RETURNING *) "
                "INSERT INTO failed_sends (id, payload, error, attempts) "
                "SELECT id, to_jsonb(gone), 'It is poison.', 5 FROM gone"
            ),
            {"ids": dead},
        )
    for arguments in (
        ("broadcasts", "cancel", first),
        ("broadcasts", "recall", second, "--no-wait"),
        ("broadcasts", "retry", second),
        ("message", "recall", message),
        ("failed", "replay", dead[0]),
        ("failed", "drop", "--all", "--yes"),
        ("failed", "drop", "--all", "--yes"),
        ("unpublished", "retry"),
    ):
        assert carillon(environ, *arguments).exit_code == 0, arguments
    assert carillon(environ, "failed", "replay", 7).exit_code == 1
    assert carillon(environ, "failed", "show", 7).exit_code == 1
    assert carillon(environ, "message", "show", message).exit_code == 0
    assert carillon(environ, "message", "show", message, "--with-text").exit_code == 0
    rows = read_acts(engine)
    assert [(row.act, row.target) for row in rows] == [
        ("broadcast.cancel", f"broadcast {first}"),
        ("broadcast.recall", f"broadcast {second}"),
        ("broadcast.retry", f"broadcast {second}"),
        ("message.recall", f"message {message}"),
        ("failed.replay", f"failed send {dead[0]}"),
        ("failed.drop", "2 failed sends"),
        ("unpublished.retry", "events that are set aside"),
        ("message.read-content", f"message {message}"),
    ]
    assert rows[0].before == {"status": "PENDING"}
    assert rows[0].after == {"status": "CANCELLED"}
    assert rows[5].before == {"count": 2, "ids": [str(dead[1]), str(dead[2])]}
