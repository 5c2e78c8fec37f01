"""What the embedded servers have in common: a child process, a folder, a port, a password, and a start that waits.

`postgres.py` and `valkey.py` add what is theirs; `ops/local/supervisor.py` keeps them running.
"""

import contextlib
import importlib.util
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import psutil

from ops.local.accounts import Say
from ops.local.child import Account, Child, Program
from ops.local.log_files import read_log_end
from ops.local.polling import wait_until
from ops.local.ports import choose_port
from ops.local.private_folder import let_only_pass
from ops.local.state_files import read_or_make_password
from storage.model.errors import PermanentError


class EmbeddedServer(ABC):
    """A server that runs in the foreground as our child and listens on 127.0.0.1 only.

    It asks for a random password, and keeps data, password and port in a folder of its own. `child` is there
    from the beginning, but runs nothing before the first launch.
    """

    NAME: ClassVar[str]

    def __init__(
        self, folder: Path, *, log: Path | None, is_durable: bool, account: Account | None, say: Say
    ) -> None:
        """Nothing on the disk is touched yet.

        `account` is who the server runs as (None: as we do). One that is not durable is faster, and its data may be
        lost in a power cut. `say` is told what a person should know.
        """
        self.folder = folder.resolve()
        self._log = (log or self.folder / f"{self.NAME}.log").resolve()
        self._is_durable = is_durable
        self._account = account
        self._say = say
        self._port = 0
        self.child = Child(self._make_program())

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for its administrator. The port in it is right after the first `launch`."""

    @property
    @abstractmethod
    def variables(self) -> Mapping[str, str]:
        """The settings (`CARILLON_…`) that lead processes to it. Right after the first `launch`."""

    @property
    def pid(self) -> int | None:
        """The server's process id; None while it does not run."""
        return self.child.pid

    @property
    def name(self) -> str:
        """What the server is called in logs."""
        return self.child.name

    @property
    def log(self) -> Path:
        """The file that the server's output is appended to."""
        return self.child.log

    @property
    def account_name(self) -> str | None:
        """The user that the server runs as; None: as we do."""
        return self._account.name if self._account else None

    @property
    def exit_code(self) -> int | None:
        """How the server ended the last time: its code, or minus the signal; None if it has not ended."""
        return self.child.exit_code

    def is_running(self) -> bool:
        """Whether the server's process runs, ready or not; a frozen one does."""
        return self.child.is_running()

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers, and is ours."""

    def launch(self) -> None:
        """Start the server; returns before it is ready. Nothing happens if it runs already.

        A server that was left on the same data, by a supervisor that was killed, is stopped first. The port is the
        one of the last time, or another if somebody has taken that; within the life of this object it stays.
        """
        if self.is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        let_only_pass(self.folder, self._account)
        self._prepare_data()
        # Clients have the URL: a later launch does not change the port.
        self._port = self._port or choose_port(self.folder / "port")
        self._write_configuration()
        self.child = Child(self._make_program())
        self.child.launch()

    def start(self, timeout: float = 60.0) -> None:
        """Launch the server and wait until it is ready, at most `timeout` seconds.

        Raises PermanentError with the end of its log if it does not get ready; then it is killed.
        """
        self._launch_and_wait(timeout)
        if not self.is_ready() and self._is_data_unreadable():
            self._launch_and_wait(timeout)
        if not self.is_ready():
            self.kill()
            raise PermanentError(f"{self.name} did not start: {read_log_end(self.log)}")

    def _launch_and_wait(self, timeout: float) -> None:
        self.launch()
        wait_until(lambda: self.is_ready() or not self.is_running(), seconds=timeout)

    @abstractmethod
    def set_up(self) -> None:
        """Make inside the server what its clients need. Call it when the server is ready; safe to repeat."""

    def ask_to_stop(self) -> None:
        """Ask the server to write everything down and end; returns at once."""
        self.child.ask_to_stop()

    def stop(self, *, seconds: float = 8.0) -> None:
        """Let the server write everything down and end; it is killed after `seconds`."""
        self.child.stop(seconds=seconds)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.child.kill()

    def freeze(self) -> None:
        """Let the server hang, with all its connections."""
        self.child.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self.child.thaw()

    @abstractmethod
    def _make_program(self) -> Program:
        """What to run, on the port that is chosen by now."""

    @abstractmethod
    def _prepare_data(self) -> None:
        """Bring the data folder into a state that the server can start from; no server uses it afterwards."""

    @abstractmethod
    def _write_configuration(self) -> None:
        """Write what the server reads at its start, if it is not on its command line."""

    def _is_data_unreadable(self) -> bool:
        """Whether the last run ended because of what is on the disk, so that the next launch does without it."""
        return False

    def _read_password(self, file: str = "password") -> str:
        return read_or_make_password(self.folder / file)


def find_wheel(package: str) -> Path:
    """The folder of an installed package; raises PermanentError if it is not installed.

    The package is not imported: the Python parts of the servers' wheels are not used, and slow.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError(f"The package {package} is not installed.")
    return Path(spec.submodule_search_locations[0])


def make_plain_environ() -> dict[str, str]:
    """The environment of a server: none of the caller's PG* variables, which would change what it does."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def stop_left_over(folder: Path, *, program: str, number: signal.Signals) -> None:
    """End every process that runs `program` in `folder` (a server's current folder is its data folder).

    It was left by a supervisor that was killed. The oldest gets signal `number`; what is left after 8 s is killed.
    """
    found = [process for process in psutil.process_iter() if _works_in(process, folder, program)]
    if found:
        oldest = min(found, key=lambda process: (process.create_time(), process.pid))
        with contextlib.suppress(psutil.NoSuchProcess):
            oldest.send_signal(number)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()  # a frozen one would not hear the signal
        psutil.wait_procs(found, timeout=8)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=8)


def _works_in(process: psutil.Process, folder: Path, program: str) -> bool:
    # The kernel tells nothing about other users' processes; those are not ours.
    with contextlib.suppress(psutil.Error):
        return Path(process.exe()).name == program and Path(process.cwd()) == folder
    return False
