"""What benches stand on: servers and processes of their own, people, and a table at the end."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from ops.cli.up import is_stack_ready
from ops.local.child import Child, Program
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from ops.local.stack import build_servers, prepare_environment, prepare_programs
from storage.postgres.database import BlockingDatabase
from storage.postgres.schema import upgrade
from storage.settings import DatabaseSettings, load

# Into a file or a pipe as wide as the widest table: 80 columns would cut figures off.
OUT = Console(width=None if sys.stdout.isatty() else 120)
# Benches, tests and faults send and search as few people far more than a person does: the limits of
# persons are off for all of them, here. A test of the limits sets them.
UNLIMITED = {
    "CARILLON_PERSON_RATE_PER_SECOND": "0",
    "CARILLON_PERSON_UPLOADS_PER_HOUR": "0",
    "CARILLON_PERSON_LISTS_PER_SECOND": "0",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """Migrated servers in a folder of their own, and the environment that leads to them."""

    environ: dict[str, str]
    database: BlockingDatabase
    superuser_url: str = ""

    @property
    def url(self) -> str:
        """Where the web process listens, once it runs."""
        return f"http://127.0.0.1:{self.environ['CARILLON_PORT']}"

    @property
    def driver_url(self) -> str:
        """The record, for the bare driver, as who may ask for checkpoints: the superuser if it is known."""
        url = self.superuser_url or self.environ["CARILLON_DATABASE_URL"]
        return url.replace("+psycopg", "")

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """These processes of the stack, until the end of the block; waits for web to be ready."""
        chosen = [Child(p) for p in prepare_programs(self.environ) if p.name in names]
        with launched(chosen):
            if "web" in names and not wait_until(lambda: is_stack_ready(self.url), seconds=60):
                raise RuntimeError(f"not ready; see {chosen[0].log}")
            yield


@contextmanager
def ground(**settings: str) -> Iterator[Ground]:
    """Servers that are as durable as those of `carillon up`; all of it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    folder.chmod(0o711)
    own = {"CARILLON_DATA_DIR": str(folder), "CARILLON_PORT": str(find_free_port())}
    environ = prepare_environment(own | UNLIMITED | settings)
    started = build_servers(environ)
    try:
        for server in started:
            server.start()
            server.set_up()
            environ |= server.variables
        database_settings = load(DatabaseSettings, environ)
        upgrade(database_settings)
        record = BlockingDatabase(database_settings, application_name="bench")
        postgres = next((one for one in started if isinstance(one, EmbeddedPostgres)), None)
        yield Ground(environ, record, superuser_url=postgres.url if postgres else "")
    finally:
        for server in started:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def launched(children: Sequence[Child]) -> Iterator[None]:
    """Children that run until the end of the block."""
    try:
        for child in children:
            child.launch()
        yield
    finally:
        for child in children:
            child.kill()


@contextmanager
def served(
    name: str, command: Sequence[str], url: str, *, environ: dict[str, str]
) -> Iterator[None]:
    """Another HTTP server, as a floor, once it answers."""
    log = Path(environ["CARILLON_DATA_DIR"]) / "logs" / f"{name}.log"
    with launched([Child(Program(name, command, environ, log))]):
        if not wait_until(lambda: _answers(url), seconds=30):
            raise RuntimeError(f"{name} does not answer: {log.read_text()[-2000:]}")
        yield


def _answers(url: str) -> bool:
    try:
        httpx.post(url, content=b"{}", timeout=1)
    except httpx.HTTPError:
        return False
    return True


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(*header, title=title)
    for row in rows:
        table.add_row(*row)
    OUT.print(table)


def timed() -> "Stopwatch":
    """A stopwatch that runs."""
    return Stopwatch(time.perf_counter())


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Started once."""

    began: float

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.perf_counter() - self.began
