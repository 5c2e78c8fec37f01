"""The Celery app of beat: `celery -A workers.beat_app beat`.

Beat rings by the clock and does nothing else, so it is told where the broker is and nothing else: no database, no key.
Celery finds its app by importing this module; it acts at import, and none of ours imports it.
"""

import os
from functools import partial
from typing import Any

from celery.signals import setup_logging

from storage.broker.queues import QueueSettings, make_celery
from storage.process.logs import LogSettings, configure
from storage.settings import check, load
from workers.schedule import SCHEDULE

SETTINGS = (QueueSettings, LogSettings)


def configure_logs(settings: LogSettings, **_: Any) -> None:
    """Set up our logs; Celery calls this instead of setting up its own."""
    configure(settings, process="beat")


check(SETTINGS, os.environ)
app = make_celery(load(QueueSettings, os.environ))
app.conf.beat_schedule = SCHEDULE
setup_logging.connect(partial(configure_logs, load(LogSettings, os.environ)), weak=False)
