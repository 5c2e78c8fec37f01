"""`carillon up`, for real: the command, its processes, its signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import psycopg

from ops.child import family
from ops.cli.up import answers
from ops.deadline import wait_until
from ops.kept import free_port
from tests import services


@contextmanager
def up(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A `carillon up`, killed at the end with all that it started."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("CARILLON_")}
    environ |= {"CARILLON_DATA_DIR": str(folder), "CARILLON_PORT": str(port)}
    with (folder / "terminal").open("ab") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ops.cli import main; main()", "up"],
            stderr=terminal,
            env=environ,
        )
    try:
        yield process
    finally:
        started = _processes(process)
        process.kill()
        process.wait()
        for one in started:
            if one.is_running():
                one.kill()


def ready(folder: Path, port: int) -> None:
    """Wait until it can take work."""
    is_ready = wait_until(lambda: answers(f"http://127.0.0.1:{port}"), seconds=90)
    assert is_ready, (folder / "terminal").read_text()


def test_it_starts_mends_itself_stops_and_goes_on() -> None:
    """SIGTERM ends it within 10 s with no process left; a killed process returns; data stay."""
    with services.folder() as folder:
        port = free_port()
        with up(folder, port) as process:
            ready(folder, port)
            url = json.loads((folder / "environment.json").read_text())["CARILLON_DATABASE_URL"]
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO users (id, mobile, name) VALUES (7, '1', 'Seven')")
            _kill(process, "ops.front:create_app")
            assert wait_until(lambda: not answers(f"http://127.0.0.1:{port}"), seconds=10)
            ready(folder, port)
            everything = _processes(process)
            began = monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=12) == 0
            assert monotonic() - began < 10
            assert [one for one in everything if _lives(one)] == []
            assert not (folder / "environment.json").exists()
        with up(folder, port) as process:
            ready(folder, port)
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT name FROM users WHERE id = 7").fetchone()
                assert row == ("Seven",)
            everything = _processes(process)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert wait_until(lambda: not any(map(_lives, everything)), seconds=15)


def _processes(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: subprocess.Popen[bytes], word: str) -> None:
    found = [one for one in _processes(process) if word in _command(one)]
    for one in family(found[0].pid):
        one.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
