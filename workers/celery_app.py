"""The Celery app of the workers: `celery -A workers.celery_app worker -Q sends`, and beat.

Celery finds its app by importing this module. So it reads the environment and acts at import, as no other module
does, and none of ours imports it.
"""

import os
from functools import partial
from typing import Any

from celery.signals import setup_logging

from storage.broker.queues import QueueSettings, make_celery
from storage.process.logs import LogSettings, configure
from storage.settings import check, load
from workers import beat_fallback, metrics, services
from workers.settings import WorkerSettings
from workers.supervision import pool_maintenance, watchdog
from workers.supervision.liveness import Liveness
from workers.tasks import register


def configure_logs(settings: LogSettings, **_: Any) -> None:
    """Set up our logs; Celery calls this instead of setting up its own."""
    configure(settings, process="worker")


# Wrong settings end the worker here; otherwise its first task would fail, and every one after it.
check((*services.SETTINGS, LogSettings), os.environ)
app = make_celery(load(QueueSettings, os.environ))
liveness = Liveness(limit_seconds=load(WorkerSettings, os.environ).stall.total_seconds())
register(app, liveness)
pool_maintenance.install(app)
watchdog.install(os.environ, liveness)
metrics.install(os.environ)
beat_fallback.install()
setup_logging.connect(partial(configure_logs, load(LogSettings, os.environ)), weak=False)
