"""The stack that faults happen to: its servers write down what they promise, and keep it when killed."""

from dataclasses import replace
from pathlib import Path

from ops.local.child import Child
from ops.local.stack import build_servers
from tests.services import Stack


class DurableStack(Stack):
    """A stack whose servers write down what they promise."""

    def __init__(self, path: Path, **settings: str) -> None:
        super().__init__(path, **settings)
        embedded = {
            name: text
            for name, text in self.environ.items()
            if name not in {"CARILLON_DATABASE_URL", "CARILLON_VALKEY_URL"} or name in settings
        }
        self.servers = {server.name: server for server in build_servers(embedded, is_durable=True)}

    def relaunch(self, name: str, **settings: str) -> None:
        """End a process for good, as the supervisor does, and start it with `settings` besides."""
        process = self.processes[name]
        process.kill()
        environ = dict(process.program.environ) | settings
        self.processes[name] = Child(replace(process.program, environ=environ))
        self.processes[name].launch()

    def restart_dead(self) -> int:
        """Start again what has ended, as the supervisor of `carillon up` does; how many."""
        dead = [name for name, process in self.processes.items() if not process.is_running()]
        for name in dead:
            self.relaunch(name)
        return len(dead)
