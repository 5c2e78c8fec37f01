"""Row 16: the disk of PostgreSQL is full."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.deadline import wait_until
from ops.embedded import EmbeddedPostgres
from tests.faults.ground import Findings, Ground
from tests.faults.ground import ground as new_ground
from tests.faults.rows.postgres import await_accepted
from tests.services import folder

SIZE = "400m"


def fill(here: Ground) -> Findings:
    """16: not a byte is left for a while: 503, and all of it once there is room."""
    if os.geteuid() != 0:
        return Findings({"skipped": "only root may mount a small file system"})
    with _small_disk() as path:
        server = EmbeddedPostgres(path / "postgres")
        server.start()
        try:
            with new_ground(
                seed=here.seed, is_short=here.is_short, CARILLON_DATABASE_URL=server.url
            ) as there:
                return _fill(there, server, ballast=path / "ballast")
        finally:
            server.kill()


def _fill(ground: Ground, server: EmbeddedPostgres, *, ballast: Path) -> Findings:
    with ground.traffic(per_second=300, connections=16) as traffic:
        await_accepted(traffic)
        _stuff(ballast)
        # Segments of the log that are there already are still filled.
        wait_until(lambda: traffic.ledger.counted(503) > 20, seconds=120)
        is_refused = traffic.ledger.counted(503) > 20
        # Long enough for a worker to try again and again: that is no attempt of what it has in hand.
        ground.pause(ground.scale(short=1, full=10))
        ballast.unlink()
        began = time.monotonic()
        ground.engine.dispose()
        server.start()  # if it gave up: as the supervisor does
        await_accepted(traffic, after=began)
        seconds = time.monotonic() - began
    found = traffic.findings(recovered_s=round(seconds, 1))
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


@contextmanager
def _small_disk() -> Iterator[Path]:
    with folder() as path:
        options = ("-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "tmpfs", str(path))
        subprocess.run(["mount", *options], check=True)
        try:
            yield path
        finally:
            subprocess.run(["umount", "--lazy", str(path)], check=True)
