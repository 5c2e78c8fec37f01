"""The Celery app of the workers: `celery -A workers.celery_app worker -Q sends`, and beat.

The one module that reads the environment at import, because that is how Celery finds its app.
"""

import os
from functools import partial
from typing import Any

from celery.signals import setup_logging

from storage.broker import QueueSettings, make_celery
from storage.process.logs import LogSettings, configure
from storage.settings import check, load
from workers import beat_fallback, metrics, pool_maintenance, services, watchdog
from workers.liveness import Liveness
from workers.settings import WorkerSettings
from workers.tasks import register


def configured(settings: LogSettings, **_: Any) -> None:
    """Our logs instead of Celery's."""
    configure(settings, process="worker")


# Read by the first task otherwise, which would fail, and every one after it.
check((*services.SETTINGS, LogSettings), os.environ)
app = make_celery(load(QueueSettings, os.environ))
liveness = Liveness(limit_seconds=load(WorkerSettings, os.environ).stall.total_seconds())
register(app, liveness)
pool_maintenance.install(app)
watchdog.install(os.environ, liveness)
metrics.install(os.environ)
beat_fallback.install()
setup_logging.connect(partial(configured, load(LogSettings, os.environ)), weak=False)
