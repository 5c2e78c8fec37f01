"""What has to happen by the clock, and the tasks that do it. Beat asks for it (`beat_app.py`), workers do it (`tasks.py`)."""

from typing import Any

from celery.schedules import crontab

from storage.broker.queues import SWEEP, UPKEEP

TIDY = "carillon.upkeep.tidy"
RECOUNT = "carillon.upkeep.recount"

SCHEDULE: dict[str, dict[str, Any]] = {
    # A sweep that nobody took is worth nothing once the next one is there.
    "sweep": {"task": SWEEP, "schedule": 1.0, "options": {"queue": UPKEEP, "expires": 5}},
    # It takes a while each time; the second process of the same worker sweeps meanwhile.
    "tidy": {"task": TIDY, "schedule": 10.0, "options": {"queue": UPKEEP, "expires": 10}},
    "nightly": {
        "task": RECOUNT,
        "schedule": crontab(hour="3", minute="10"),
        "options": {"queue": UPKEEP},
    },
}
