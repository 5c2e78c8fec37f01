"""`carillon up`, for real: the command, its processes, its signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import psycopg
import pytest

from ops.cli.up import has_every_worker, is_stack_ready
from ops.local.child import list_family
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests import services
from tests.other_users import need_interpreter


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
    """Wait until the stack can take work."""
    is_ready = wait_until(lambda: is_stack_ready(f"http://127.0.0.1:{port}"), seconds=90)
    assert is_ready, (folder / "terminal").read_text()


def test_it_starts_mends_itself_stops_and_goes_on() -> None:
    """A killed process returns; SIGTERM ends the stack within 10 s and leaves no process; data are there at the next start."""
    with services.folder() as folder:
        port = find_free_port()
        with up(folder, port) as process:
            ready(folder, port)
            url = json.loads((folder / "environment.json").read_text())["CARILLON_DATABASE_URL"]
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO users (id, mobile, name) VALUES (7, '1', 'Seven')")
            again = command("up", CARILLON_DATA_DIR=str(folder))
            assert f"already running on {folder} at http://127.0.0.1:{port}" in again.stderr
            assert f"kill {process.pid}" in again.stderr
            beside = command("up", CARILLON_DATA_DIR=f"{folder}/other", CARILLON_PORT=str(port))
            assert f"taken by another Carillon, which runs on {folder} (process" in beside.stderr
            _kill(process, "ops.local.single_port:create_app")
            assert wait_until(lambda: not is_stack_ready(f"http://127.0.0.1:{port}"), seconds=10)
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
            wait_until(lambda: not any(map(_lives, everything)), seconds=60)
            assert [_command(one) for one in everything if _lives(one)] == []


NOBODY = 65534
DEMO = {"CARILLON_INBOX_DEMO": "on"}
WRONG = {
    "CARILLON_PERSIST_BATCH": "abc",
    "CARILLON_CHUNK_SIZE": "0",
    "CARILLON_BUS_LENGTH": "-1",
    "CARILLON_PORT": "http",
    "CARILLON_JWT_SECRET": "short",
    "CARILLON_DATABASE_URL": "postgresql://carillon:pass/word@host/carillon",
}


def test_nothing_starts_with_wrong_settings(tmp_path: Path) -> None:
    """Wrong settings of all processes are named at once, no server is started, and the exit code is 1."""
    folder = tmp_path / "data"
    done = command("up", **WRONG, CARILLON_DATA_DIR=str(folder), CARILLON_INTAKE_BATHC="5")
    assert done.returncode == 1
    for name in WRONG:
        assert name in done.stderr, done.stderr
    assert "pass/word" not in done.stderr
    assert "Starting" not in done.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"CARILLON_HOST": "no.such.invalid"}, "CARILLON_HOST=no.such.invalid: "),
        ({"CARILLON_HOST": "192.0.2.77"}, "is not an address of this machine"),
        ({"CARILLON_DATA_DIR": "/dev/null/data"}, "/dev/null is a file"),
        ({**DEMO, "CARILLON_HOST": "0.0.0.0"}, "only on a loopback address"),
        ({**DEMO, "CARILLON_JWT_SECRET": "s" * 40}, "not of this stack's own making"),
        ({**DEMO, "CARILLON_PUBLIC_URL": "https://m.example"}, "to come by https://m.example"),
    ],
)
def test_a_start_that_cannot_be_is_one_sentence(
    tmp_path: Path, settings: dict[str, str], cause: str
) -> None:
    """The true cause and the variable to change are the only line, without a traceback and without a hint for others."""
    done = command("up", **({"CARILLON_DATA_DIR": str(tmp_path / "data")} | settings))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert cause in line
    assert "CARILLON_" in line


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_an_ordinary_user_is_told_what_is_not_theirs(tmp_path: Path) -> None:
    """A port of root's is not called taken, and another user's folder is called theirs."""
    need_interpreter(NOBODY)
    with services.folder() as folder:
        (folder / "own").mkdir()
        os.chown(folder / "own", NOBODY, NOBODY)
        theirs, own = str(folder / "theirs"), str(folder / "own")
        done = command_of(NOBODY, "up", CARILLON_DATA_DIR=theirs)
        assert f"{folder} belongs to the user root" in done.stderr, done.stderr
        done = command_of(NOBODY, "up", CARILLON_DATA_DIR=own, CARILLON_PORT="80")
        assert "CARILLON_PORT=80: this user may not listen below port" in done.stderr, done.stderr
        assert "taken" not in done.stderr


def test_it_is_not_up_without_workers(environ: Mapping[str, str]) -> None:
    """`carillon up` does not say that all is well while a queue has no worker or the broker is away."""
    assert not has_every_worker(environ)
    assert not has_every_worker({**environ, "CARILLON_BROKER_URL": "redis://127.0.0.1:1/0"})


def command(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `carillon` with these arguments in a process of its own, to its end."""
    return command_of(None, *words, **settings)


def command_of(user: int | None, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The same, as the user of this number; None: as we are."""
    foreign = {name: text for name, text in os.environ.items() if not name.startswith("CARILLON_")}
    return subprocess.run(
        [sys.executable, "-c", "from ops.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=foreign | settings,
        user=user,
        extra_groups=None if user is None else [],
    )


@pytest.mark.parametrize(
    "start",
    [
        "import workers.celery_app",
        "import ingest.app; ingest.app.create_app()",
        "import push_gateway.app; push_gateway.app.create_app()",
    ],
)
def test_a_process_does_not_start_with_wrong_settings(
    environ: Mapping[str, str], start: str
) -> None:
    """A process with wrong settings, a worker too, ends at its start and names all that is wrong in what it reads."""
    wrong = {"CARILLON_BUS_LENGTH": "many"}
    wrong |= {
        "import workers.celery_app": {"CARILLON_PERSIST_BATCH": "abc"},
        "import ingest.app; ingest.app.create_app()": {"CARILLON_INTAKE_BATCH": "abc"},
    }.get(start, {"CARILLON_PUSH_CONNECTIONS": "abc"})
    done = subprocess.run(
        [sys.executable, "-c", start],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environ, **wrong},
    )
    assert done.returncode != 0
    for name in wrong:
        assert name in done.stderr, done.stderr


def _processes(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: subprocess.Popen[bytes], word: str) -> None:
    found = [one for one in _processes(process) if word in _command(one)]
    for one in list_family(found[0].pid):
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
