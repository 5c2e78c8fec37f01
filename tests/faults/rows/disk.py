"""Rows 16 and 46: the disk of PostgreSQL is full, that of the logs is; a power cut has torn what Valkey wrote."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ops.cli.up import is_stack_ready
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests.faults.environment import FaultEnvironment, Findings, start_environment
from tests.faults.rows.postgres import await_accepted
from tests.ops.cli.test_up import ready, up
from tests.services import folder

SIZE = "400m"
LOGS_SIZE = "30m"
LINE = b"x" * 99 + b"\n"


def fill(here: FaultEnvironment) -> Findings:
    """16: not a byte is left for a while: 503, and all of it once there is room."""
    if os.geteuid() != 0:
        return Findings({"skipped": "only root may mount a small file system"})
    with _mount_small_disk() as path:
        server = EmbeddedPostgres(path / "postgres")
        server.start()
        try:
            with start_environment(
                seed=here.seed, is_short=here.is_short, CARILLON_DATABASE_URL=server.url
            ) as there:
                return _fill(there, server, ballast=path / "ballast")
        finally:
            server.kill()


def _fill(environment: FaultEnvironment, server: EmbeddedPostgres, *, ballast: Path) -> Findings:
    with environment.make_traffic(per_second=300, connections=16) as traffic:
        await_accepted(traffic)
        _stuff(ballast)
        # Segments of the log that are there already are still filled.
        wait_until(lambda: traffic.ledger.count_answers(503) > 20, seconds=120)
        is_refused = traffic.ledger.count_answers(503) > 20
        # Long enough for a worker to try again and again: that is no attempt of what it has in hand.
        environment.pause(environment.scale(short=1, full=10))
        ballast.unlink()
        began = time.monotonic()
        environment.engine.dispose()
        server.start()  # if it gave up: as the supervisor does
        await_accepted(traffic, after=began)
        seconds = time.monotonic() - began
    found = traffic.collect_findings(recovered_s=round(seconds, 1))
    found.must(is_refused, "503 while there is no room")
    return found


def _stuff(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        piece = 1 << 20
        while piece:
            try:
                file.write(b"\0" * piece)
            except OSError:
                piece //= 2


def outlive_disk_and_power_cut(_: FaultEnvironment) -> Findings:
    """46: a log of 25 MB on a full disk, a process that dies then; and zeros at the end of Valkey's AOF."""
    if os.geteuid() != 0:
        return Findings({"skipped": "only root may mount a small file system"})
    found, port = Findings(), find_free_port()

    def is_there() -> bool:
        return is_stack_ready(f"http://127.0.0.1:{port}")

    with folder() as path:
        (path / "logs").mkdir(mode=0o700)
        with _mount(path / "logs", size=LOGS_SIZE), up(path, port) as process:
            ready(path, port)
            with (path / "logs" / "web.log").open("ab") as log:
                log.write(LINE * 250_000)
            _stuff(path / "logs" / "ballast")
            [web] = _find_web(process)
            web.kill()
            web.wait(10)
            is_up = wait_until(lambda: bool(_find_web(process)) and is_there(), seconds=30)
            found.must(is_up, "a process that dies while the disk is full is started again")
            found.must(process.poll() is None, "`carillon up` lives")
        [written] = (path / "valkey" / "appendonlydir").glob("*.incr.aof")
        written.write_bytes(written.read_bytes() + bytes(4096))
        with up(path, port):
            found.must(wait_until(is_there, seconds=60), "it starts")
    return found


def _find_web(supervisor: subprocess.Popen[bytes]) -> list[psutil.Process]:
    children = psutil.Process(supervisor.pid).children()
    return [one for one in children if "ops.local.single_port:create_app" in one.cmdline()]


@contextmanager
def _mount_small_disk() -> Iterator[Path]:
    with folder() as path, _mount(path, size=SIZE):
        yield path


@contextmanager
def _mount(path: Path, *, size: str) -> Iterator[None]:
    options = ("-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs", str(path))
    subprocess.run(["mount", *options], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
