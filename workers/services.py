"""What one worker process holds open: settings, connections, pipes. Handed to everything that a task does.

Made when the first task of the process needs it, because Celery forks its pool after import and nothing may be connected
before.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from celery.signals import worker_process_shutdown

from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.media.store import MediaSettings, MediaStore, make_media_store
from storage.postgres import session_limits
from storage.postgres.database import BlockingDatabase
from storage.process.metrics_export import join_shared_folder
from storage.process.tracing import Tracer, make_tracer
from storage.settings import DatabaseSettings, ValkeySettings, load
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from workers.metrics import WorkerMetrics
from workers.settings import WorkerSettings

# All settings that a worker reads.
SETTINGS = (
    WorkerSettings,
    DatabaseSettings,
    ValkeySettings,
    QueueSettings,
    BusSettings,
    MediaSettings,
)


@dataclass(frozen=True, slots=True)
class Services:
    """What a task may use. `name` is one that no other process has; the holder of the persist lane goes by it."""

    name: str
    settings: WorkerSettings
    database: BlockingDatabase
    bus: Bus
    media: MediaStore
    doorbell: Doorbell
    metrics: WorkerMetrics
    tracing: Tracer | None


def open_services(environ: Mapping[str, str]) -> Services:
    """Make everything from the settings in `environ`; connections are made when they are first used.

    Raises InvalidSettings.
    """
    join_shared_folder()
    metrics = WorkerMetrics()
    return Services(
        name=secrets.token_hex(8),
        settings=load(WorkerSettings, environ),
        database=BlockingDatabase(
            load(DatabaseSettings, environ),
            application_name="carillon worker",
            limits=session_limits.WORKER,
        ),
        bus=Bus(load(BusSettings, environ), load(ValkeySettings, environ)),
        media=make_media_store(load(MediaSettings, environ)),
        doorbell=Doorbell(load(QueueSettings, environ), tell=metrics.count_ring),
        metrics=metrics,
        tracing=make_tracer(environ, process="worker"),
    )


@cache
def get_services() -> Services:
    """The services of this process, from its environment; made by the first call, which has to be after the fork."""
    services = open_services(os.environ)
    if services.tracing is not None:
        # Celery ends its pool's processes without running `atexit`.
        close = services.tracing.close
        worker_process_shutdown.connect(lambda **_: close(), weak=False)
    return services
