"""`carillon unpublished` and `carillon failed replay`: what an operator sees and does."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, text

from storage.postgres import outbox
from storage.postgres.messages import unpublished
from storage.postgres.sends import due_work, failed_sends
from tests.builders import a_send, accept
from tests.ops.cli.command import carillon


def test_what_is_set_aside_is_listed_with_its_reason_and_tried_at_once(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """Messages and rows of the outbox that are set aside are listed, with markup in a reason as text; `retry` ends every pause."""
    wide = {**environ, "COLUMNS": "200"}
    assert "Nothing is set aside." in carillon(wide, "unpublished", "list").stdout
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO outbox (event) VALUES ('{}')"))
        [notice] = outbox.list_waiting(connection, 10)
        outbox.set_aside(connection, {notice.number: "an unknown kind"})
        for _ in range(3):
            unpublished.set_aside(connection, {77: "no [/] credentials"})
    listed = carillon(wide, "unpublished", "list")
    assert listed.exit_code == 0, listed.output
    for part in ("77", "no [/] credentials", f"outbox {notice.number}", "an unknown kind"):
        assert part in listed.stdout
    with engine.begin() as connection:
        assert unpublished.find_due(connection, 10) == ([], [])
        assert not due_work.has_due_work(connection)
    assert "2 will be tried now" in carillon(wide, "unpublished", "retry").stdout
    with engine.begin() as connection:
        assert outbox.list_waiting(connection, 10) == [notice]
        assert unpublished.find_due(connection, 10) == ([77], [])  # its message is gone: forgotten


def test_a_replay_names_the_new_id_of_a_letter_whose_month_is_gone(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """`failed replay` says under which new id a send goes if its month is gone."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
        failed_sends.move_to_failed(connection, [id])
        connection.execute(
            text("UPDATE failed_sends SET id = 8192, payload = payload || '{\"id\": 8192}'")
        )
    done = carillon(environ, "failed", "replay", 8192)
    assert done.exit_code == 0, done.output
    with engine.begin() as connection:
        new: Any = connection.execute(text("SELECT id FROM accepted")).scalar_one()
    assert new > id
    assert f"8192 is sent as {new}" in done.stdout and "Replayed 1." in done.stdout
