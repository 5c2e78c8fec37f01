"""What workers measure of themselves, for Prometheus (contract §7). No label ever holds an id.

The processes of a pool write into the folder PROMETHEUS_MULTIPROC_DIR (`storage/process/metrics_export.py`); the main
process of the worker serves their sum on CARILLON_WORKER_METRICS_PORT.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from celery.signals import worker_process_shutdown, worker_ready
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from storage.process.metrics_export import (
    archive_dead_processes,
    find_shared_folder,
    make_folder_registry,
)
from storage.settings import load
from workers.settings import WorkerSettings

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# Of what the sweep sees, the newest look counts, whichever process made it.
_LATEST: Final = "mostrecent"

_log = logging.getLogger(__name__)


class WorkerMetrics:
    """The metrics of one process; each is documented in docs/operations/metrics.md."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.task_seconds = Histogram(
            "carillon_task_seconds",
            "Time of a task, by name: from its ring's arrival to its end.",
            ["task"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "carillon_persist_batch_size",
            "Sends persisted by one statement.",
            buckets=_SIZES,
            registry=registry,
        )
        self.persist_seconds = Histogram(
            "carillon_persist_seconds",
            "Time of the statement that persists a batch.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.accepted_to_persisted = Histogram(
            "carillon_accepted_to_persisted_seconds",
            "From acceptance to the histories, of each batch's oldest send.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.accepted_to_published = Histogram(
            "carillon_accepted_to_published_seconds",
            "From acceptance to the bus, of each batch's oldest send.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.attempts_failed = Counter(
            "carillon_persist_failures",
            "Attempts to persist a single send that failed.",
            registry=registry,
        )
        self.unpublished = Counter(
            "carillon_publish_failures",
            "Times the bus did not take a batch or a chunk; it is published later.",
            registry=registry,
        )
        self.set_aside = Counter(
            "carillon_events_set_aside",
            "Tries at an event that could not be made, it alone; it is tried again later.",
            registry=registry,
        )
        self.chunk_seconds = Histogram(
            "carillon_chunk_seconds",
            "Time of a broadcast's chunk, by stage: insert, publish.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.chunks_failed = Counter(
            "carillon_chunk_failures",
            "Times a chunk of a broadcast could not be taken on from a state; it is tried again.",
            ["state"],
            registry=registry,
        )
        self.people = Counter(
            "carillon_broadcast_people",
            "People whose delivery of a broadcast was written (expanded) or taken back.",
            ["step"],
            registry=registry,
        )
        self.rings = Counter(
            "carillon_worker_rings",
            "Rings asked for by workers, by queue and outcome: rung, joined, failed.",
            ["queue", "outcome"],
            registry=registry,
        )
        self.re_rings = Counter(
            "carillon_sweep_rings",
            "Rings by the sweep, by queue: work that was due and had none.",
            ["queue"],
            registry=registry,
        )
        self.late_duties = Counter(
            "carillon_late_duties",
            "Times that this worker did what beat had not asked for in time: sweep, upkeep.",
            ["duty"],
            registry=registry,
        )
        self.queue_length = Gauge(
            "carillon_queue_rings",
            "Rings that lie in a queue.",
            ["queue"],
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self.held_sends = Gauge(
            "carillon_held_sends",
            "Sends put aside because their app is disabled or paused, when upkeep looked last.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self.last_backup = Gauge(
            "carillon_last_backup_timestamp_seconds",
            "Unix time of the record in the last whole backup by `carillon backup`; 0: none is known.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self.bus_length = Gauge(
            "carillon_bus_entries",
            "Events that the bus keeps.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self.chunks = Gauge(
            "carillon_broadcast_chunks",
            "Chunks of the broadcasts that run now, by state.",
            ["state"],
            registry=registry,
            multiprocess_mode=_LATEST,
        )

    def count_ring(self, queue: str, outcome: str) -> None:
        """Count a ring of `queue` by its outcome: rung, joined or failed."""
        self.rings.labels(queue, outcome).inc()


def install(environ: Mapping[str, str]) -> None:
    """Have the worker serve its metrics and its pool's as soon as it is ready, if `environ` sets a port."""
    port = load(WorkerSettings, environ).metrics_port

    def serve(**_: Any) -> None:
        folder = find_shared_folder()
        if not port:
            return
        if folder is None:
            _log.warning("CARILLON_WORKER_METRICS_PORT needs PROMETHEUS_MULTIPROC_DIR: no metrics.")
            return
        start_http_server(port, registry=make_folder_registry(folder))

    worker_ready.connect(serve, weak=False)
    worker_process_shutdown.connect(lambda **_: archive_dead_processes(), weak=False)
