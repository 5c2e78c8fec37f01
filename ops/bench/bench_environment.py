"""What benches stand on: servers and processes of their own, percentiles, and a table at the end."""

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
class BenchEnvironment:
    """Migrated servers in a folder of their own, and the settings that lead to them."""

    environ: dict[str, str]
    database: BlockingDatabase
    superuser_url: str = ""

    @property
    def url(self) -> str:
        """Where the web process listens, once it runs."""
        return f"http://127.0.0.1:{self.environ['CARILLON_PORT']}"

    @property
    def driver_url(self) -> str:
        """The URL of the record for the bare driver: the superuser's if it is known, who may ask for checkpoints."""
        url = self.superuser_url or self.environ["CARILLON_DATABASE_URL"]
        return url.replace("+psycopg", "")

    @contextmanager
    def run_processes(self, *names: str) -> Iterator[None]:
        """Run these processes of the stack in this block, which begins when web, if it is one of them, is ready."""
        chosen = [Child(p) for p in prepare_programs(self.environ) if p.name in names]
        with run_children(chosen):
            if "web" in names and not wait_until(lambda: is_stack_ready(self.url), seconds=60):
                raise RuntimeError(f"not ready; see {chosen[0].log}")
            yield


@contextmanager
def open_bench_environment(**settings: str) -> Iterator[BenchEnvironment]:
    """Run servers as durable as those of `carillon up` in this block; afterwards all of it is removed.

    `settings` are variables beside those that benches always set.
    """
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
        yield BenchEnvironment(environ, record, superuser_url=postgres.url if postgres else "")
    finally:
        for server in started:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_children(children: Sequence[Child]) -> Iterator[None]:
    """Run children in this block; it begins at once, and they are killed at its end."""
    try:
        for child in children:
            child.launch()
        yield
    finally:
        for child in children:
            child.kill()


@contextmanager
def run_server(
    name: str, command: Sequence[str], url: str, *, environ: dict[str, str]
) -> Iterator[None]:
    """Run another HTTP server in this block, which begins when `url` answers a POST, whatever it says."""
    log = Path(environ["CARILLON_DATA_DIR"]) / "logs" / f"{name}.log"
    with run_children([Child(Program(name, command, environ, log))]):
        if not wait_until(lambda: _answers(url), seconds=30):
            raise RuntimeError(f"{name} does not answer: {log.read_text()[-2000:]}")
        yield


def _answers(url: str) -> bool:
    try:
        httpx.post(url, content=b"{}", timeout=1)
    except httpx.HTTPError:
        return False
    return True


def make_uvicorn_command(
    app: str, port: int, *, http: str = "ops.http.protocol:HttpProtocol"
) -> list[str]:
    """The command line of an ASGI server of one process, as in production; `http` is its protocol class."""
    return [
        *(sys.executable, "-P", "-m", "uvicorn", "--factory", app, "--port", str(port)),
        *("--http", http, "--timeout-keep-alive", "75"),
        *("--loop", "uvloop", "--no-access-log", "--log-level", "warning", "--backlog", "4096"),
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (from 0 to 1) of `values` lie. `values` must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with its title and header."""
    table = Table(*header, title=title)
    for row in rows:
        table.add_row(*row)
    OUT.print(table)


def start_stopwatch() -> "Stopwatch":
    """A stopwatch that was started now."""
    return Stopwatch(time.perf_counter())


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Started once, at `began` (of time.perf_counter)."""

    began: float

    @property
    def seconds(self) -> float:
        """The seconds since it was started."""
        return time.perf_counter() - self.began
