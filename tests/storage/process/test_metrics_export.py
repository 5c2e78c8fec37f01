"""Processes that share a folder tell the sum of what they count."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.process.metrics_export import LOCK, export_folder

pytestmark = pytest.mark.quick

PROGRAM = """
import sys
from prometheus_client import CollectorRegistry, Counter, Gauge
from storage.process.metrics_export import export_metrics, join_shared_folder
join_shared_folder()
registry = CollectorRegistry()
Counter("sent", "Sent.", registry=registry).inc(int(sys.argv[1]))
Gauge("open", "Open.", registry=registry, multiprocess_mode="livesum").set(int(sys.argv[1]))
Gauge("seen", "Seen.", registry=registry, multiprocess_mode="mostrecent").set_to_current_time()
print(export_metrics(registry).decode(), flush=True)
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
    """Counters of a killed process stay in the sum; its gauges go when the next process starts."""
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
    assert b"sent_total 111.0" in export_folder(tmp_path)


def run(folder: Path, number: int) -> str:
    """What a process that counts `number` says of all; killed afterwards."""
    process, said = start(folder, number)
    process.kill()
    process.communicate()
    return said


def test_dead_processes_leave_no_files_and_all_that_they_counted(tmp_path: Path) -> None:
    """However often a worker is restarted, dead processes leave one set of files, which has all that they counted."""
    said = ""
    for number in range(1, 4):
        said = run(tmp_path, number)
        assert f"sent_total {sum(range(1, number + 1))}.0" in said
        assert len(list(tmp_path.glob("*.db"))) <= 3 + 2  # its own, and the archive's
    seen = [line for line in said.splitlines() if line.startswith("seen ")]
    assert len(seen) == 1


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """After `rm -r` of the shared folder processes run on, the next one makes it again, and until then the sum is empty."""
    folder = tmp_path / "metrics" / "workers"
    first, said = start(folder, 1)
    assert "sent_total 1.0" in said
    shutil.rmtree(folder)
    assert export_folder(folder) == b""
    assert "sent_total 10.0" in run(folder, 10)
    first.communicate("")
    assert first.returncode == 0


def test_without_a_folder_a_process_keeps_its_numbers_to_itself(tmp_path: Path) -> None:
    """With a file in place of the folder a process runs all the same, and exports its own numbers."""
    (tmp_path / "metrics").write_text("in the way")
    assert "sent_total 7.0" in run(tmp_path / "metrics", 7)


@pytest.mark.parametrize("damage", [b"\x10", bytes(65536), b"\xff" * 65536])
def test_a_damaged_file_hides_nobody_elses_numbers(tmp_path: Path, damage: bytes) -> None:
    """A damaged file is left out of the sum, and is deleted when its process is dead."""
    run(tmp_path, 1)
    dead = tmp_path / "counter_4194305.db"
    dead.write_bytes(damage)
    assert b"sent_total 1.0" in export_folder(tmp_path)
    (tmp_path / "counter_0.db").write_bytes(damage)
    assert "sent_total 11.0" in run(tmp_path, 10)
    assert not dead.exists()


def test_who_holds_the_lock_and_is_frozen_holds_nobody_up(tmp_path: Path) -> None:
    """While a frozen process holds the lock, numbers are exported and processes start all the same."""
    run(tmp_path, 1)
    with (tmp_path / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert b"sent_total 1.0" in export_folder(tmp_path)
        assert "sent_total 11.0" in run(tmp_path, 10)
