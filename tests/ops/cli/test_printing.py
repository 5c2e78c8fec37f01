"""What people typed is text to the operator's terminal, whatever it holds."""

import json
from collections.abc import Callable, Mapping

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from ops.cli.terminal.printing import make_console, make_plain, say, say_json
from ops.cli.terminal.progress import count_bar
from storage.postgres.sends import persist_lane
from tests.builders import a_broadcast, a_send, accept, add_people
from tests.ops.cli.command import carillon

pytestmark = pytest.mark.quick

# Markup that rich would obey or stumble over, an emoji code, and escapes that a terminal would obey: clear
# the screen, set the title, C1's CSI, text from right to left, a carriage return over what stands there.
HOSTILE = "OA [/] [red]x[/red] :boom: \x1b[2J\x1b]0;t\x07 \x9b2J \u202egpj \rroot# [link=file:///x]y[/link]"
SHOWN = r"OA [/] [red]x[/red] :boom: \x1b[2J\x1b]0;t\x07 \x9b2J \u202egpj \rroot# [link=file:///x]y[/link]"


def test_what_is_typed_is_shown_as_it_is() -> None:
    """Names of people in any script, and lines of our own, are printed as they are."""
    for text in (
        "张三 (三)",
        "Ñandú O\u2019Neil",
        "全角\u3000空格",
        "a\n\tb",
        "👩\u200d💻",
        "नी\u200dला",
        "עברית",
    ):
        assert make_plain(text) == text


def test_what_a_terminal_would_obey_is_written_out() -> None:
    """Escape sequences, control characters and text-direction marks are shown, and do nothing."""
    assert make_plain(HOSTILE) == SHOWN


@given(st.text())
def test_nothing_gets_through(text: str) -> None:
    """No printed character is a control character but tabs and line ends, whatever was typed."""
    controls = {chr(code) for code in (*range(32), *range(127, 160))} - {"\n", "\t"}
    assert controls.isdisjoint(make_plain(text))


def capture(print_it: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    """What a call puts on stdout, in one line."""
    print_it()
    return " ".join(capsys.readouterr().out.split())


def test_every_way_to_print_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, tables, headings and bars show markup as it was typed, and JSON reads back as it was."""
    from rich.table import Table

    table = Table("[/] heading")
    table.add_row(HOSTILE)
    wide = make_console()
    wide.width = 200
    assert capture(lambda: say(HOSTILE), capsys) == " ".join(SHOWN.split())
    assert SHOWN in capture(lambda: wide.print(table), capsys)
    assert "[/] heading" in capture(lambda: wide.print(table), capsys)
    assert capture(lambda: wide.print(HOSTILE), capsys) == SHOWN
    say_json({"name": HOSTILE + "\U000e0001"})
    told = capsys.readouterr().out
    assert "\x1b" not in told and "\x9b" not in told
    assert json.loads(told) == {"name": HOSTILE + "\U000e0001"}
    with count_bar(HOSTILE) as bar:
        bar(HOSTILE, 1, 2, None)


def is_harmless(result: Result) -> bool:
    """Whether a command succeeded and printed nothing that a terminal would obey."""
    return result.exit_code == 0 and not {"\x1b", "\x9b", "\r", "\u202e"} & set(result.output)


def test_every_command_shows_hostile_names_as_text(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """An app's name, the error of a dead letter and an app in `top` are shown, and not obeyed by the terminal."""
    wide = {**environ, "COLUMNS": "400"}
    url = ("--callback-url", "https://oa.example.com/cb")
    assert is_harmless(carillon(wide, "app", "add", "oa", "--name", HOSTILE, *url))
    listed = carillon(wide, "app", "list")
    assert is_harmless(listed) and SHOWN in listed.stdout
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        failing, _ = accept(connection, a_send(), a_broadcast(app_id=1, sent_by_app_id=1))
        for _ in range(5):
            persist_lane.record_failure(connection, failing, error=HOSTILE, max_attempts=5)
    failed = carillon(wide, "failed", "list")
    assert is_harmless(failed) and SHOWN in failed.stdout
    shown = carillon(wide, "failed", "show", failing)
    assert is_harmless(shown) and json.loads(shown.stdout)["error"] == HOSTILE


def test_a_sentence_of_failure_is_plain_too(environ: Mapping[str, str]) -> None:
    """An argument that is repeated in an error is text, and not obeyed by the terminal."""
    refused = carillon(environ, "app", "disable", HOSTILE)
    assert refused.exit_code == 1
    assert SHOWN in refused.stderr
