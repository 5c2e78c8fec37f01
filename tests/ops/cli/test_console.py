"""`carillon console`: where the console is, and its token."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main

pytestmark = pytest.mark.quick
TOKEN = "a token for the operator"


def run(folder: Path, *arguments: str, **environ: str) -> Result:
    """Run `carillon console` with these settings."""
    return CliRunner().invoke(main, arguments, env={"CARILLON_DATA_DIR": str(folder), **environ})


def test_address_and_token(tmp_path: Path) -> None:
    """On stdout is the token alone, so that it can be piped; the address is on stderr."""
    given = {"CARILLON_CONSOLE_TOKEN": TOKEN, "CARILLON_PUBLIC_URL": "https://messages.example.com"}
    done = run(tmp_path, "console", **given)
    assert done.stdout == f"{TOKEN}\n"
    assert done.stderr == "https://messages.example.com/console\n"
    assert run(tmp_path, "console", "--token", **given).output == f"{TOKEN}\n"


def test_without_a_token_it_says_so(tmp_path: Path) -> None:
    """Without a token for the console, the command says that it is not set, with exit code 1."""
    done = run(tmp_path, "console", CARILLON_CONSOLE_TOKEN="")
    assert done.exit_code == 1
    assert "CARILLON_CONSOLE_TOKEN is not set" in done.output


def test_without_a_token_there_may_be_names(tmp_path: Path) -> None:
    """If CARILLON_CONSOLE opens the console without a token, the command tells the address, and that names sign in."""
    done = run(tmp_path, "console", CARILLON_CONSOLE="yes")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "/console\n" in done.stderr
    assert "carillon operator list" in done.stderr
    assert run(tmp_path, "console", "--token", CARILLON_CONSOLE="yes").exit_code == 1
