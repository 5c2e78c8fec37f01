"""The README of clients/python: every program in it runs, as an integrator would paste it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.live_stack import LiveStack

README = Path(__file__).parents[3] / "clients/python/README.md"
PROGRAMS = dict(
    re.findall(r"^```python file=(\S+)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
)


@pytest.fixture(scope="module")
def environ(live: LiveStack) -> dict[str, str]:
    """What the README's programs read: the app `leave`, in which 31002 is `zhangsan` and 31001 `lisi`."""
    number, secret = live.new_app(app_id="leave", callback_url="https://leave.example.com/callback")
    for user_id, name in ((31001, "lisi"), (31002, "zhangsan")):
        live.add_account(app=number, user_id=user_id, name=name)
    given = {"CARILLON_URL": live.about["url"], "APP_ID": "leave", "APP_SECRET": secret}
    return {**os.environ, **given, "TOKEN": live.token(id=31002)}


def test_there_are_programs() -> None:
    """The first send stands in the README, and takes ten lines at most."""
    assert len(PROGRAMS) == 4
    assert len([line for line in PROGRAMS["first_send.py"].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("name", [*PROGRAMS])
def test_a_program_of_the_readme_runs(environ: dict[str, str], tmp_path: Path, name: str) -> None:
    """Pasted into a file it runs without a change, and prints what it says it prints."""
    program = tmp_path / name
    program.write_text(PROGRAMS[name])
    done = subprocess.run(
        [sys.executable, "-W", "error", program],
        env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
