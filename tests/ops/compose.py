"""`docker-compose.yml` without Docker: its services' commands as processes, in its own environment.

Names of other containers become this machine's addresses, fixed ports become free ones, and nothing
else is changed: arguments, variables and health checks are the file's.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ops.local.polling import wait_until

ROOT = Path(__file__).parents[2]
INNERMOST = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^{}]*))?\}")


def document(tree: Path = ROOT) -> dict[str, Any]:
    """The file as it stands in a tree."""
    found: dict[str, Any] = yaml.safe_load((tree / "docker-compose.yml").read_text())
    return found


def of_carillon(tree: Path = ROOT) -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    services: dict[str, dict[str, Any]] = document(tree)["services"]
    return {name: one for name, one in services.items() if "build" in one}


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables filled in as Compose does; KeyError for one that is required."""

    def value(match: re.Match[str]) -> str:
        name, how, default = match.groups()
        if values.get(name):
            return values[name]
        if how == "?":
            raise KeyError(name)
        return default or ""

    # A default may have variables of its own: the innermost first.
    while (filled := INNERMOST.sub(value, text)) != text:
        text = filled
    return text.replace("$$", "$")


def seconds(span: str) -> float:
    """A duration of the file, which uses seconds only."""
    assert span.endswith("s")
    return float(span[:-1])


@dataclass
class Container:
    """One service as a process of this machine."""

    name: str
    values: Mapping[str, str]
    folder: Path
    replaced: Mapping[str, str]
    """Texts of the file that mean something else here, such as a port or the temporary folder."""
    environ: Mapping[str, str]
    tree: Path = ROOT
    """Where the file lies: that of an older release starts what it started then."""
    process: subprocess.Popen[bytes] | None = None
    service: dict[str, Any] = field(init=False)
    has_been_healthy: bool = False

    def __post_init__(self) -> None:
        self.service = of_carillon(self.tree)[self.name]

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it."""
        command = shlex.split(self._here(self.service["command"]))
        # As in the image: the programs of the virtual environment.
        command[0] = str(Path(sys.executable).with_name(command[0]))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self._environ(), cwd=self.folder, stdout=log, stderr=log
            )

    def is_healthy(self) -> bool:
        """Whether its own health check says so, in its own time."""
        how, *command = self.service["healthcheck"]["test"]
        command = [self._here(word) for word in command]
        if how == "CMD-SHELL":
            command = ["sh", "-c", *command]
        done = subprocess.run(
            command,
            env=self._environ(),
            cwd=ROOT,
            check=False,
            capture_output=True,
            timeout=seconds(self.service["healthcheck"]["timeout"]) + 20,
        )
        return done.returncode == 0

    def await_healthy(self) -> None:
        """Wait until it has been healthy once; fails with its log if it ends before that."""
        process = self.process
        assert process is not None

        def is_decided() -> bool:
            # A worker's check is a process of Celery's, and takes seconds.
            self.has_been_healthy = self.has_been_healthy or self.is_healthy()
            return self.has_been_healthy or process.poll() is not None

        wait_until(is_decided, seconds=90)
        assert self.has_been_healthy and process.poll() is None, self.log.read_text()

    def stop(self) -> int:
        """SIGTERM, and its exit code, within its grace period."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds(self.service.get("stop_grace_period", "10s")))

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _here(self, text: str) -> str:
        text = fill_in(text, self.values)
        for there, here in self.replaced.items():
            text = text.replace(there, here)
        return text

    def _environ(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {"PATH": path, "HOME": str(self.folder), "HOSTNAME": socket.gethostname()}
        given: dict[str, Any] = self.service["environment"]
        said = {name: fill_in(str(text), self.values) for name, text in given.items()}
        return {**kept, **said, **self.environ}
