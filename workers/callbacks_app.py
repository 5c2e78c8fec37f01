"""The Celery app of the callbacks worker: `celery -A workers.callbacks_app worker -Q callbacks`.

It calls servers that strangers chose, so it is told what that needs and nothing else: no bus, no media store. The key that opens
apps' secrets is told to no other worker. Celery finds its app by importing this module, which acts at import; none of
ours imports it.
"""

import os
from functools import partial
from typing import Any

from celery.signals import setup_logging

from storage.broker.queues import QueueSettings, make_celery
from storage.process.logs import LogSettings, configure
from storage.settings import check, load
from workers import metrics
from workers.callbacks import services
from workers.callbacks.tasks import register
from workers.settings import WorkerSettings
from workers.supervision import pool_maintenance, watchdog
from workers.supervision.liveness import Liveness

SETTINGS = (*services.SETTINGS, WorkerSettings, QueueSettings, LogSettings)


def configure_logs(settings: LogSettings, **_: Any) -> None:
    """Set up our logs; Celery calls this instead of setting up its own."""
    configure(settings, process="callbacks")


check(SETTINGS, os.environ)
app = make_celery(load(QueueSettings, os.environ))
liveness = Liveness(limit_seconds=load(WorkerSettings, os.environ).stall.total_seconds())
register(app, liveness, os.environ)
pool_maintenance.install(app)
watchdog.install(os.environ, liveness)
metrics.install(os.environ)
setup_logging.connect(partial(configure_logs, load(LogSettings, os.environ)), weak=False)
