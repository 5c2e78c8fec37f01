"""The queues and their tasks by name, where the broker is, and the Celery app that both ends share.

`workers/celery_app.py` makes its app with `make_celery`, as the doorbell does: so both agree on queues and settings.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import kombu
from celery import Celery
from celery.app.amqp import AMQP
from kombu import Exchange, Queue

from storage.model.errors import InvalidSettings
from storage.setting_parsers import duration
from storage.settings import setting

SENDS = "sends"
BROADCASTS = "broadcasts"
UPKEEP = "upkeep"
CALLBACKS = "callbacks"

# The task that a ring of each queue starts; `workers/tasks.py` and `workers/callbacks/tasks.py` have a function for each.
PERSIST = "carillon.persist"
EXPAND = "carillon.expand"
SWEEP = "carillon.sweep"
CALL = "carillon.call"
TASK_OF_QUEUE = {SENDS: PERSIST, BROADCASTS: EXPAND, UPKEEP: SWEEP, CALLBACKS: CALL}


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Where the queue is."""

    broker_url: str = setting(
        "CARILLON_BROKER_URL",
        "",
        secret=True,
        help="Redis, Valkey or AMQP (RabbitMQ) that carries the rings; CARILLON_VALKEY_URL by default.",
    )
    valkey_url: str = setting(
        "CARILLON_VALKEY_URL", "", secret=True, help="Used when no broker is set."
    )
    ring_timeout: timedelta = setting(
        "CARILLON_RING_TIMEOUT_SECONDS",
        timedelta(seconds=1),
        parse=duration(0.05, 30),
        help="How long a ring may take; past it the sweeper rings instead.",
    )

    @property
    def url(self) -> str:
        """The broker's URL."""
        if not (self.broker_url or self.valkey_url):
            raise InvalidSettings("CARILLON_BROKER_URL or CARILLON_VALKEY_URL must be set.")
        return self.broker_url or self.valkey_url

    @property
    def is_amqp(self) -> bool:
        """Whether the broker is RabbitMQ."""
        return self.url.startswith(("amqp://", "amqps://", "pyamqp://"))


class _EagerConnection(kombu.Connection):
    """Tries to reach a broker that is away about twice a second; kombu's own pauses grow to half a minute."""

    def ensure_connection(self, *args: Any, **options: Any) -> Self:
        """Connect, trying again and again as Celery asks."""
        pauses: dict[str, Any] = {"interval_start": 0.2, "interval_step": 0.1, "interval_max": 0.5}
        super().ensure_connection(*args, **pauses | options)
        return self


class _EagerAMQP(AMQP):
    """Celery's own, with connections that come back soon after the broker does."""

    Connection = _EagerConnection


def make_celery(settings: QueueSettings) -> Celery:
    """A Celery app with the settings that both ends of the queues need. Nothing connects yet."""
    celery = Celery("carillon", broker=settings.url, amqp=_EagerAMQP, set_as_current=False)
    celery.conf.update(_build_configuration(settings))
    return celery


def _build_configuration(settings: QueueSettings) -> dict[str, Any]:
    # Quorum queues are RabbitMQ's replicated kind; Redis has no arguments.
    arguments = {"x-queue-type": "quorum"} if settings.is_amqp else None
    return {
        "task_queues": [
            Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments)
            for name in TASK_OF_QUEUE
        ],
        "task_default_queue": SENDS,
        "task_create_missing_queues": False,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_time_limit": 30,
        # Acknowledged early: what a lost ring was for is rung for again by the sweeper.
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_soft_shutdown_timeout": 3.0,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": settings.ring_timeout.total_seconds(),
        "broker_transport_options": _build_transport_options(settings),
        "control_queue_exclusive": settings.is_amqp,
        "event_queue_exclusive": settings.is_amqp,
        "worker_detect_quorum_queues": True,
        "enable_utc": True,
        "beat_max_loop_interval": 1,
    }


def _build_transport_options(settings: QueueSettings) -> dict[str, Any]:
    if settings.is_amqp:
        return {"confirm_publish": True, "max_retries": 0}
    return {
        # Rings are acknowledged on arrival, so nothing has to be kept beside the queue. Emulated acknowledgements
        # would write when a ring is taken; a full Valkey refuses writes, and that would end the worker.
        "ack_emulation": False,
        "socket_timeout": 15,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
