"""How processes show their metrics: alone, or together with those that share a folder.

With PROMETHEUS_MULTIPROC_DIR in its environment a process keeps its numbers in files of that folder
(prometheus_client's multi-process mode), and any process that shares the folder can tell the sum of all: Celery's
pool, or `uvicorn --workers N`. Metrics never stop what they measure: a folder that is gone is made again, and a process
that cannot write to it keeps its numbers to itself.
"""

import fcntl
import logging
import os
import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil
from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name
ARCHIVE = 0  # the process id, of nobody, whose files hold what dead processes have counted
LEAST_FREE_BYTES = 8 << 20  # a write into a mapped file on a full disk kills the process (SIGBUS)
LOCK = "carillon-metrics.lock"
LOCK_SECONDS = 0.5
# What reading a torn file can raise.
DAMAGE = (OSError, ValueError, RuntimeError, LookupError, struct.error)

_log = logging.getLogger(__name__)
_joined: set[int] = set()


def find_shared_folder() -> Path | None:
    """The folder that this process shares its numbers in; None if it keeps them to itself."""
    text = os.environ.get(FOLDER)
    return Path(text) if text else None


def join_shared_folder() -> None:
    """Prepare the shared folder, if there is one, and archive the numbers of dead processes.

    To be called before a process makes its first metric. If the folder cannot be used, the process keeps its numbers to
    itself, with a warning in the log.
    """
    folder = find_shared_folder()
    if folder is None:
        return
    try:
        _prepare(folder)
        archive_dead_processes()
    except OSError as error:
        _log.warning("This process keeps its metrics to itself: %s", error)
        os.environ.pop(FOLDER, None)
        values.ValueClass = values.MutexValue  # chosen at import, from the environment
    _joined.add(os.getpid())


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        raise OSError(f"there is too little room in {folder}")


def export_metrics(registry: CollectorRegistry) -> bytes:
    """The metrics in Prometheus' text format: those of `registry`, or the sums of the shared folder if there is one."""
    folder = find_shared_folder()
    return generate_latest(registry) if folder is None else export_folder(folder)


def export_folder(folder: Path) -> bytes:
    """The sums of the processes that share `folder`, in Prometheus' text format; empty if the folder is gone."""
    return generate_latest(make_folder_registry(folder))


def make_folder_registry(folder: Path) -> CollectorRegistry:
    """A registry that reads `folder` each time it is collected."""
    registry = CollectorRegistry()
    registry.register(_SharedNumbers(folder))
    return registry


class _SharedNumbers(MultiProcessCollector):
    """Collects the sums of a folder, which may be gone, while no process is archiving in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """The sums of all files, without those that are damaged."""
        with suppress(FileNotFoundError), _lock_folder(self._folder):
            files = [str(file) for file in self._folder.glob("*.db")]
            try:
                return self.merge(files)  # type: ignore[no-untyped-call,no-any-return]
            except DAMAGE:
                return self.merge([file for file in files if _is_readable(file)])  # type: ignore[no-untyped-call,no-any-return]
        return ()


def archive_dead_processes() -> None:
    """Add the counts of dead processes to the archive, and drop their gauges.

    Their files are deleted, so that a worker that is restarted again and again leaves none behind. A process does it
    when it starts, because one that was killed could not do it for itself.
    """
    folder = find_shared_folder()
    if folder is None or not folder.is_dir():
        return
    with _lock_folder(folder) as is_ours:
        dead = [file for file in folder.glob("*_*.db") if _is_of_dead_process(file)]
        for file in dead if is_ours else ():
            _archive(file)


def _is_of_dead_process(file: Path) -> bool:
    number = file.stem.rpartition("_")[2]
    if not number.isdecimal() or int(number) == ARCHIVE:
        return False
    if int(number) == os.getpid():  # an earlier process of this number, as in a container
        return os.getpid() not in _joined
    return not psutil.pid_exists(int(number))


def _archive(file: Path) -> None:
    kind = file.stem.rpartition("_")[0]
    merge = _MERGES.get(kind)
    if merge is None and not kind.startswith("gauge_live"):
        return
    if merge is not None:
        try:
            _add(file, file.with_name(f"{kind}_{ARCHIVE}.db"), merge)
        except DAMAGE as error:
            _log.warning("The metrics of a dead process are lost, %s: %s", file.name, error)
    file.unlink(missing_ok=True)


# A value and its time. How those of the archive and of a dead process are merged, by the kind of metric:
Stamped = tuple[float, float]
_MERGES: dict[str, Callable[[Stamped, Stamped], Stamped]] = {
    "counter": lambda a, b: (a[0] + b[0], 0.0),
    "histogram": lambda a, b: (a[0] + b[0], 0.0),
    "summary": lambda a, b: (a[0] + b[0], 0.0),
    "gauge_mostrecent": lambda a, b: b if b[1] > a[1] else a,
}


def _add(file: Path, archive: Path, merge: Callable[[Stamped, Stamped], Stamped]) -> None:
    found = list(MmapedDict.read_all_values_from_file(file))  # type: ignore[no-untyped-call]
    if not _is_readable(str(archive)):
        archive.unlink(missing_ok=True)
    kept = MmapedDict(str(archive))  # type: ignore[no-untyped-call]
    try:
        for key, value, at, _ in found:
            kept.write_value(key, *merge(kept.read_value(key), (value, at)))  # type: ignore[no-untyped-call]
    finally:
        kept.close()  # type: ignore[no-untyped-call]


def _is_readable(file: str) -> bool:
    try:
        with Path(file).open("rb") as content:  # begins with how much of it is used
            used = int.from_bytes(content.read(4), sys.byteorder, signed=True)
        MultiProcessCollector.merge([file])  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        return True
    except DAMAGE:
        return False
    return 0 <= used <= Path(file).stat().st_size


@contextmanager
def _lock_folder(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock, so that no sum is read while a file is being added to another.

    Yields False when another process has not released it within LOCK_SECONDS: that one is frozen, and is not waited for.
    """
    with (folder / LOCK).open("wb") as lock:
        until = time.monotonic() + LOCK_SECONDS
        while not (is_ours := _try_lock(lock)) and time.monotonic() < until:
            time.sleep(0.01)
        yield is_ours


def _try_lock(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
