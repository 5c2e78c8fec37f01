"""Processes that share a folder tell the sum of what they count."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.exposition import exposed_folder

pytestmark = pytest.mark.quick

PROGRAM = """
import sys
from prometheus_client import CollectorRegistry, Counter, Gauge
from storage.exposition import exposed, forget_dead
forget_dead()
registry = CollectorRegistry()
Counter("sent", "Sent.", registry=registry).inc(int(sys.argv[1]))
Gauge("open", "Open.", registry=registry, multiprocess_mode="livesum").set(int(sys.argv[1]))
print(exposed(registry).decode(), flush=True)
sys.stdin.read()
"""


def start(folder: Path, number: int) -> tuple[subprocess.Popen[str], str]:
    """A process that counts `number`, and what it then says of all."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(number)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1].strip():
        lines.append(process.stdout.readline())
    return process, "".join(lines)


def test_any_of_them_tells_the_sum_and_who_was_killed_is_forgotten(tmp_path: Path) -> None:
    """Counters outlive a SIGKILL, gauges do not: the next process that starts takes them back."""
    first, _ = start(tmp_path, 1)
    second, said = start(tmp_path, 10)
    assert "sent_total 11.0" in said
    assert "open 11.0" in said
    first.send_signal(signal.SIGKILL)
    first.communicate()
    third, said = start(tmp_path, 100)
    assert "sent_total 111.0" in said
    assert "open 110.0" in said
    for process in (second, third):
        process.communicate("")
    assert b"sent_total 111.0" in exposed_folder(tmp_path)
