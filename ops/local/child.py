"""One child process: its program, and how it is started, stopped, frozen and killed.

Used by the supervisor, the embedded servers and the tests. A child is the leader of a session of its own, so that Ctrl-C at
the terminal reaches only the supervisor, and so that the processes it forked can be found after it died. Its output goes
straight to a file: a supervisor that hangs holds no child up.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ops.local import parent_death
from ops.local.polling import wait_until


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: an absolute `command` and its whole environment; its output is appended to `log`.

    `stop_signal` asks it to end in good order; the kernel sends it also when we die. `account` None: it runs as we do.
    `directory` None: in our current folder.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    directory: Path | None = None


class Child:
    """A program and, between `launch` and its end, the process that runs it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def log(self) -> Path:
        """The file that its output is appended to."""
        return self.program.log

    @property
    def pid(self) -> int | None:
        """The id of the process while it runs, else None."""
        return self._process.pid if self._process is not None and self.is_running() else None

    @property
    def exit_code(self) -> int | None:
        """How the last process ended: its code, or minus the signal; None if none has ended."""
        return None if self._process is None else self._process.poll()

    def launch(self) -> None:
        """Start the process; returns at once. Nothing happens if it runs already.

        Call it from a thread that lives as long as the child: the kernel's signal at the parent's death is sent at the
        death of the *thread* that forked.
        """
        if self.is_running():
            return
        program = self.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                _make_command(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.environ),
                cwd=program.directory,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        """Whether the process runs; a frozen one does."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal to the process, not to what it forked. Nothing happens if it does not run."""
        if self.is_running() and self._process is not None:
            self._process.send_signal(self.program.stop_signal)

    def stop(self, *, seconds: float = 8.0) -> None:
        """Ask the process to stop, wait at most `seconds`, and kill what is left of it and of what it forked."""
        self.ask_to_stop()
        wait_until(lambda: not self.is_running(), seconds=seconds)
        self.kill()

    def kill(self) -> None:
        """Send SIGKILL to the process and all that it forked, and wait until none of them runs.

        Raises subprocess.TimeoutExpired if the process hangs in the kernel for 10 s.
        """
        if self._process is None:
            return
        # Twice: what was forked between the look and the kill is found the second time.
        for _ in range(2):
            for member in self._members():
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            self._process.wait(timeout=10)
        wait_until(lambda: not self._members(), seconds=10)

    def freeze(self) -> None:
        """Send SIGSTOP to the process and all that it forked."""
        for member in self._members():
            with contextlib.suppress(psutil.NoSuchProcess):
                member.suspend()

    def thaw(self) -> None:
        """Send SIGCONT to the process and all that it forked."""
        for member in reversed(self._members()):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.resume()

    def _members(self) -> list[psutil.Process]:
        return [] if self._process is None else list_family(self._process.pid)


def list_family(leader: int) -> list[psutil.Process]:
    """The living processes of a session leader: first itself, then those of its session and its descendants.

    The session and the descendants: PostgreSQL's children leave the session, and Celery's survive their parent.
    """
    found = {pid: psutil.Process(pid) for pid in psutil.pids() if _find_session(pid) == leader}
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(leader)
        # A process that was reaped and whose number went to a stranger is no longer the leader.
        if _find_session(leader) == leader:
            found |= {leader: top} | {child.pid: child for child in top.children(recursive=True)}
    return [
        found[pid] for pid in sorted(found, key=lambda pid: pid != leader) if _is_alive(found[pid])
    ]


def _find_session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _make_command(program: Program) -> list[str]:
    """The program's command behind `ops/local/parent_death.py`, which ties its life to ours."""
    account = program.account
    identity = (account.user_id, account.group_id) if account else (-1, -1)
    numbers = (os.getpid(), int(program.stop_signal), *identity)
    script = str(Path(parent_death.__file__).resolve())
    return [sys.executable, "-I", "-S", script, *map(str, numbers), *program.command]
