"""The Celery app of the workers: `celery -A workers.celery_app worker -Q sends`, and beat.

The one module that reads the environment at import, because that is how Celery finds its app.
"""

import os

from storage.settings import load
from storage.task_queue import QueueSettings, make_celery
from workers import pool_care, telemetry, watchdog
from workers.tasks import register

app = make_celery(load(QueueSettings, os.environ))
register(app)
pool_care.install(app)
watchdog.install(os.environ)
telemetry.install(os.environ)
