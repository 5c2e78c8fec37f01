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
from workers import deputy, metrics, pool_care, process, watchdog
from workers.done import Done
from workers.settings import WorkerSettings
from workers.tasks import register


def configured(settings: LogSettings, **_: Any) -> None:
    """Our logs instead of Celery's."""
    configure(settings, process="worker")


# Read by the first task otherwise, which would fail, and every one after it.
check((*process.SETTINGS, LogSettings), os.environ)
app = make_celery(load(QueueSettings, os.environ))
done = Done(limit_seconds=load(WorkerSettings, os.environ).stall.total_seconds())
register(app, done)
pool_care.install(app)
watchdog.install(os.environ, done)
metrics.install(os.environ)
deputy.install()
setup_logging.connect(partial(configured, load(LogSettings, os.environ)), weak=False)
