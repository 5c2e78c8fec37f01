"""The doorbell: how work is announced to Celery, both ends.

A ring says "there is work" and carries nothing; it may be lost, doubled or late
(docs/decisions/0002-the-queue-is-a-doorbell.md). Ingest and workers ring through `Doorbell`;
`workers/celery_app.py` makes its app with `make_celery`.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import kombu
from amqp.exceptions import ChannelError
from celery import Celery
from celery.app.amqp import AMQP
from kombu import Exchange, Queue

from storage.model.errors import InvalidSettings, TransientError
from storage.settings import duration, setting

SENDS = "sends"
BROADCASTS = "broadcasts"
UPKEEP = "upkeep"

# The task that a ring of each queue starts; `workers/tasks.py` has a function for each.
PERSIST = "carillon.persist"
EXPAND = "carillon.expand"
SWEEP = "carillon.sweep"
TASK_OF_QUEUE = {SENDS: PERSIST, BROADCASTS: EXPAND, UPKEEP: SWEEP}

# How long a doorbell rests after a ring that failed; what is asked for meanwhile is joined.
REST_SECONDS = 0.2
# Between two rings of a process: shorter than the lane's holder lingers, so that nobody waits for it.
GAP_SECONDS = 0.05

_log = logging.getLogger(__name__)


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
    """Looks for a broker that is away twice a second; kombu's own pauses grow to 30 s."""

    def ensure_connection(self, *args: Any, **options: Any) -> Self:
        """Connect, trying again and again as Celery asks."""
        pauses: dict[str, Any] = {"interval_start": 0.2, "interval_step": 0.1, "interval_max": 0.5}
        super().ensure_connection(*args, **pauses | options)
        return self


class _Queues(AMQP):
    """Celery's own, but for its connections."""

    Connection = _EagerConnection


def make_celery(settings: QueueSettings) -> Celery:
    """The Celery app of both ends, with the settings that both need; nothing connects yet."""
    celery = Celery("carillon", broker=settings.url, amqp=_Queues, set_as_current=False)
    celery.conf.update(_configuration(settings))
    return celery


def _configuration(settings: QueueSettings) -> dict[str, Any]:
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
        # A ring that is lost is rung again by the sweeper, so nothing is redelivered: early acks.
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_soft_shutdown_timeout": 3.0,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": settings.ring_timeout.total_seconds(),
        "broker_transport_options": _transport_options(settings),
        "control_queue_exclusive": settings.is_amqp,
        "event_queue_exclusive": settings.is_amqp,
        "worker_detect_quorum_queues": True,
        "enable_utc": True,
        "beat_max_loop_interval": 1,
    }


def _transport_options(settings: QueueSettings) -> dict[str, Any]:
    if settings.is_amqp:
        return {"confirm_publish": True, "max_retries": 0}
    return {
        # Acked on arrival, so there is nothing to keep beside the queue; and taking a ring writes
        # nothing, which a full Valkey would refuse, and that ends a worker.
        "ack_emulation": False,
        "socket_timeout": 15,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "max_retries": 0,
    }


def _ring_options(settings: QueueSettings) -> dict[str, Any]:
    """What a ring's connection does otherwise than a consumer's: it gives up sooner."""
    seconds = settings.ring_timeout.total_seconds()
    if settings.is_amqp:
        return {"read_timeout": seconds, "write_timeout": seconds}
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}


class Doorbell:
    """Rings queues from a thread of its own, so that nobody waits for the broker.

    Rings that come while one is on its way, or lies in its queue, are joined: whoever takes that one
    finds everything. A ring that fails is logged and dropped: the sweeper rings for what is due
    (docs/decisions/0002-the-queue-is-a-doorbell.md).
    """

    def __init__(
        self, settings: QueueSettings, *, tell: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        """`tell` gets the queue and the outcome of every ring: rung, joined or failed."""
        self._tell = tell
        self._celery = make_celery(settings)
        self._options = _ring_options(settings)
        self._producer: Any = None
        self._is_failing = False
        self._pending: set[str] = set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self, queue: str) -> None:
        """Ask for a ring of `queue`; returns at once and never raises."""
        # What is pending is rung after this moment, so there is nothing to lock or to wake.
        if queue in self._pending:
            return
        with self._changed:
            self._pending.add(queue)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._closed.is_set())
                if self._closed.is_set():
                    return
                queues, self._pending = self._pending, set()
            for queue in sorted(queues):
                self._send(queue)
            # Trying to connect for every send would cost the senders more than a ring is worth.
            self._closed.wait(REST_SECONDS if self._is_failing else GAP_SECONDS)

    def _send(self, queue: str) -> None:
        # A producer of our own: Celery's pools cannot be emptied of broken connections and used again.
        try:
            if self._is_rung(queue):
                self._tell(queue, "joined")
            else:
                self._celery.send_task(
                    TASK_OF_QUEUE[queue], queue=queue, retry=False, producer=self._open_producer()
                )
                self._tell(queue, "rung")
            self._is_failing = False
        except Exception as error:  # noqa: BLE001 (top of a thread; kombu raises many kinds)
            self._tell(queue, "failed")
            # Once, not for every send of an hour without a broker.
            level = logging.DEBUG if self._is_failing else logging.WARNING
            _log.log(level, "The ring of %s failed: %s", queue, type(error).__name__)
            self._is_failing = True
            self._hang_up()

    def _is_rung(self, queue: str) -> bool:
        """Whether a ring lies in the queue: a look costs far less than a ring, here and at the worker."""
        try:
            return _length(self._open_producer().channel, queue) > 0
        except ChannelError:
            # RabbitMQ closes the channel if no worker has been up yet.
            self._hang_up()
            return False

    def _open_producer(self) -> Any:
        if self._producer is None:
            self._producer = self._celery.amqp.Producer(self._connection(), auto_declare=False)
        return self._producer

    def _hang_up(self) -> None:
        """Let go of a connection that failed; the next ring makes another."""
        if self._producer is not None:
            self._producer.connection.collect()
            self._producer = None

    def _connection(self) -> Any:
        return self._celery.connection_for_write(transport_options=self._options)

    def lengths(self) -> dict[str, int]:
        """How many rings lie in each queue. Blocks on the broker; raises what kombu raises."""
        found = {}
        with self._connection() as connection:
            for queue in TASK_OF_QUEUE:
                try:
                    found[queue] = _length(
                        connection.channel(), queue
                    )  # closed with its connection
                except ChannelError:
                    found[queue] = 0
        return found

    def reachable(self) -> bool:
        """Whether the broker answers. Blocks, for about the ring timeout at most."""
        try:
            with self._connection() as connection:
                connection.connect()
                channel: Any = connection.channel()
                channel.close()
        except Exception:  # noqa: BLE001 (kombu raises the driver's errors, of many kinds)
            return False
        return True

    def close(self) -> None:
        """Stop ringing; what is pending is left to the sweeper."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=2)
        if self._thread is None or not self._thread.is_alive():
            self._hang_up()
        self._celery.close()


def _length(channel: Any, queue: str) -> int:
    borrowed = getattr(channel, "conn_or_acquire", None)
    if borrowed is None:
        return int(channel.queue_declare(queue, passive=True).message_count)
    # Of Redis one question (an empty queue is none there): declaring asks eight in two round trips, and
    # whoever waits for an answer gives the interpreter's lock away and has to get it back. Rings have no
    # priority, so the queue's name is their key.
    with borrowed() as client:
        return int(client.llen(queue))


def consumed(settings: QueueSettings, *, seconds: float) -> set[str]:
    """The queues that a living worker takes from; those who do not answer in `seconds` do not count.

    Raises TransientError when the broker is away.
    """
    with make_celery(settings) as celery, celery.connection_for_write() as connection:
        away: tuple[type[BaseException], ...] = (
            kombu.exceptions.OperationalError,
            *connection.connection_errors,
            *connection.channel_errors,
        )
        try:
            inspect = celery.control.inspect(timeout=seconds, connection=connection)
            answers = inspect.active_queues() or {}
        except away as error:
            raise TransientError("The broker does not answer.") from error
    return {queue["name"] for queues in answers.values() for queue in queues}
