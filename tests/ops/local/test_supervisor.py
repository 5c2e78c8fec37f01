"""The supervisor, over small shell programs."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ops.local.child import Child, Program
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.log_files import LOG_END_BYTES, LOG_LIMIT_BYTES
from ops.local.polling import wait_until
from ops.local.supervisor import StopRequested, Supervisor
from storage.model.errors import PermanentError, TransientError

pytestmark = pytest.mark.quick


class Terminal:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        """Take one line."""
        self.lines.append(line)

    def has(self, words: str) -> bool:
        """Whether a line contains `words`."""
        return any(words in line for line in self.lines)


@pytest.fixture
def terminal() -> Terminal:
    """Where the supervisor speaks."""
    return Terminal()


@pytest.fixture
def supervisor(terminal: Terminal) -> Iterator[Supervisor]:
    """A supervisor that leaves nothing behind."""
    made = Supervisor(say=terminal)
    yield made
    made.request_stop()
    made.request_stop()
    made.stop()


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str, str], Child]:
    """Makes a child that runs a shell script."""

    def make(name: str, script: str) -> Child:
        command = ["/bin/sh", "-c", script]
        return Child(Program(name, command, dict(os.environ), tmp_path / f"{name}.log"))

    return make


Shell = Callable[[str, str], Child]


def test_a_dead_service_is_started_again(
    supervisor: Supervisor, shell: Shell, terminal: Terminal
) -> None:
    """A service that is killed runs again soon, and that is said."""
    child = shell("sleeper", "exec sleep 600")
    supervisor.add(child, stage=0)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="sleeper")
    assert terminal.has("sleeper ended (signal 9); started again in 0.25 s.")


def test_what_a_dead_service_forked_dies_before_its_successor(
    supervisor: Supervisor, shell: Shell, tmp_path: Path
) -> None:
    """No process that a dead service forked runs beside the service that replaces it."""
    child = shell("parent", f"sleep 600 & echo $! > {tmp_path}/orphan.$$; exec sleep 601")
    supervisor.add(child, stage=0)
    supervisor.wait_for(lambda: bool(list(tmp_path.glob("orphan.*"))), seconds=5, what="orphan")
    first = child.pid
    assert first is not None
    assert wait_until(lambda: bool((tmp_path / f"orphan.{first}").read_text()), seconds=5)
    orphan = int((tmp_path / f"orphan.{first}").read_text())
    os.kill(first, signal.SIGKILL)
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="parent")
    assert not _lives(orphan)


def test_a_crash_loop_ends_the_start_with_the_reason(supervisor: Supervisor, shell: Shell) -> None:
    """A service that dies again and again before all is up makes the start fail, with the end of its log."""
    supervisor.add(shell("broken", "echo no such thing; exit 3"), stage=0)
    with pytest.raises(PermanentError) as caught:
        supervisor.wait_for(lambda: False, seconds=20, what="everything")
    assert "broken keeps ending (exit code 3)" in caught.value.detail
    assert "no such thing" in caught.value.detail


def test_loud_lines_reach_the_terminal(
    supervisor: Supervisor, shell: Shell, terminal: Terminal
) -> None:
    """Lines that match are shown under the service's name; other lines are only in its log."""
    child = shell("talker", "echo ERROR: fire; echo all well; exec sleep 600")
    supervisor.add(child, stage=0, loud="ERROR")
    supervisor.wait_for(lambda: terminal.has("talker | ERROR: fire"), seconds=10, what="line")
    assert not terminal.has("all well")
    assert "all well" in child.log.read_text()


def test_stages_stop_in_reverse(supervisor: Supervisor, shell: Shell, tmp_path: Path) -> None:
    """Services of a later stage have ended before those of an earlier stage are asked to."""
    note = f"trap 'echo $0 >> {tmp_path}/order; exit' TERM; echo up; while :; do sleep 0.05; done"
    server, client = shell("server", note), shell("client", note.replace("$0", "client"))
    supervisor.add(server, stage=0)
    supervisor.add(client, stage=1)
    both = (server, client)
    supervisor.wait_for(lambda: all(b"up" in c.log.read_bytes() for c in both), seconds=5, what="-")
    supervisor.stop()
    assert (tmp_path / "order").read_text().splitlines()[0] == "client"
    assert not server.is_running()
    assert not client.is_running()


@pytest.mark.timeout(30)
def test_a_service_that_ignores_the_signal_is_killed_in_time(
    supervisor: Supervisor, shell: Shell, terminal: Terminal
) -> None:
    """A service that ignores SIGTERM is gone within 10 seconds all the same."""
    deaf = shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.1; done")
    supervisor.add(deaf, stage=1)
    supervisor.wait_for(lambda: b"up" in deaf.log.read_bytes(), seconds=5, what="deaf")
    supervisor.request_stop()
    supervisor.stop()
    assert not deaf.is_running()
    assert terminal.has("deaf did not stop in time and is killed.")


def test_a_second_request_to_stop_kills_at_once(supervisor: Supervisor, shell: Shell) -> None:
    """After a second request to stop no service is waited for."""
    deaf = shell("deaf", "trap '' TERM; echo up; while :; do sleep 0.1; done")
    supervisor.add(deaf, stage=1)
    supervisor.wait_for(lambda: b"up" in deaf.log.read_bytes(), seconds=5, what="deaf")
    supervisor.request_stop()
    supervisor.request_stop()
    supervisor.stop()
    assert not deaf.is_running()


def test_a_request_to_stop_interrupts_the_start(supervisor: Supervisor, shell: Shell) -> None:
    """A request to stop is obeyed at once while something is not ready yet."""
    supervisor.add(shell("slow", "exec sleep 600"), stage=0)
    supervisor.request_stop()
    with pytest.raises(StopRequested):
        supervisor.wait_for(lambda: False, seconds=60, what="slow")


def test_what_does_not_get_ready_is_named(supervisor: Supervisor) -> None:
    """Waiting ends in time with the name of what is not ready."""
    with pytest.raises(TransientError, match="the moon is not ready"):
        supervisor.wait_for(lambda: False, seconds=0.1, what="the moon")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 30 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Use up the file system."""
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_does_not_end_the_supervisor(
    supervisor: Supervisor, terminal: Terminal, small_disk: Path
) -> None:
    """A log of 25 MB on a full disk is emptied but for its end, and a service that dies is started again."""
    log = small_disk / "writer.log"
    log.write_bytes(b"old\n" * 6_250_000)
    fill(small_disk)
    command = ["/bin/sh", "-c", "exec sleep 600"]
    child = Child(Program("writer", command, dict(os.environ), log))
    supervisor.add(child, stage=0)
    supervisor.wait_for(lambda: log.stat().st_size == 0, seconds=10, what="the log")
    assert log.with_suffix(".log.1").stat().st_size == LOG_END_BYTES
    first = child.pid
    child.kill()
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="writer")


def test_a_log_that_cannot_be_kept_short_is_said_once(
    supervisor: Supervisor, shell: Shell, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there is no room even for the end of a log, that is said once, and its service is supervised and stopped all the same."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    child = shell("talker", "exec sleep 600")
    child.log.write_bytes(bytes(LOG_LIMIT_BYTES + 1))
    monkeypatch.setattr("ops.local.log_files.put_away", refuse)
    supervisor.add(child, stage=0)
    supervisor.wait_for(lambda: terminal.has("talker is in trouble"), seconds=10, what="a word")
    first = child.pid
    child.kill()
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="talker")
    assert len([line for line in terminal.lines if "in trouble" in line]) == 1
    supervisor.stop()
    assert not child.is_running()


def test_a_launch_that_fails_is_tried_again(
    supervisor: Supervisor, shell: Shell, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that cannot be started, for want of room or of processes, is tried again."""
    monkeypatch.setattr("ops.local.supervisor.LONGEST_PAUSE_SECONDS", 0.1)
    child = shell("sleeper", "exec sleep 600")
    supervisor.add(child, stage=0)
    launch, first = child.launch, child.pid
    refusals = iter(
        [OSError(errno.ENOSPC, "No space left"), BlockingIOError(errno.EAGAIN, "no more")]
    )

    def refuse() -> None:
        if (refusal := next(refusals, None)) is not None:
            raise refusal
        launch()

    monkeypatch.setattr(child, "launch", refuse)
    child.kill()
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="sleeper")
    assert terminal.has("sleeper cannot be started")


def test_a_closed_terminal_ends_nothing(shell: Shell) -> None:
    """A line that cannot be shown is lost, and the services are supervised all the same."""

    def broken(_: str) -> None:
        raise BrokenPipeError

    supervisor = Supervisor(say=broken)
    child = shell("sleeper", "exec sleep 600")
    supervisor.add(child, stage=0)
    first = child.pid
    child.kill()
    supervisor.wait_for(lambda: child.pid not in {None, first}, seconds=10, what="sleeper")
    supervisor.stop()


def test_a_valkey_that_cannot_read_its_data_is_up_after_a_second_try(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """A Valkey whose files end in zeros after a power cut is up at its second start."""
    server = EmbeddedValkey(tmp_path / "valkey")
    server.start()
    server.kill()
    [log] = (tmp_path / "valkey/appendonlydir").glob("*.incr.aof")
    log.write_bytes(log.read_bytes() + bytes(4096))
    again = EmbeddedValkey(tmp_path / "valkey")
    supervisor.add(again, stage=0)
    supervisor.wait_for(again.is_ready, seconds=20, what="valkey")
