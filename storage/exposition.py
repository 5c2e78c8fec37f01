"""How processes show their metrics: alone, or together with those that share a folder.

With PROMETHEUS_MULTIPROC_DIR in its environment a process keeps its numbers in files of that folder
(prometheus_client's multi-process mode), and any of those who share it tells the sum of all: Celery's
pool, or `uvicorn --workers N`.
"""

import os
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name


def shared_folder() -> Path | None:
    """The folder that this process shares its numbers in; None if it keeps them to itself."""
    text = os.environ.get(FOLDER)
    return Path(text) if text else None


def exposed(registry: CollectorRegistry) -> bytes:
    """The metrics of `registry`, or of every process of the shared folder, in Prometheus' text format."""
    folder = shared_folder()
    return generate_latest(registry) if folder is None else exposed_folder(folder)


def exposed_folder(folder: Path) -> bytes:
    """The sum of what the processes that share `folder` have counted."""
    return generate_latest(registry_of(folder))


def registry_of(folder: Path) -> CollectorRegistry:
    """A registry that reads `folder` whenever it is asked."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


def forget_dead() -> None:
    """Take back what processes that are gone said of themselves (gauges); what they counted stays.

    For a process that starts: whoever was killed could not do it.
    """
    folder = shared_folder()
    if folder is None:
        return
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}:
        if not psutil.pid_exists(pid):
            mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]
