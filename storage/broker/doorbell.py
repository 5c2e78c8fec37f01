"""The doorbell: how ingest and workers say "there is work".

A ring carries nothing; it may be lost, doubled or late (docs/decisions/0002-the-queue-is-a-doorbell.md).
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from amqp.exceptions import ChannelError

from storage.broker.inspection import count_rings
from storage.broker.queues import TASK_OF_QUEUE, QueueSettings, make_celery

# How long a doorbell waits after a ring that failed. What is asked for meanwhile becomes one ring.
REST_SECONDS = 0.2
# The pause between two rings of a process. It is shorter than the time for which the persist lane's holder looks
# for more after its last batch, so that it delays nothing.
GAP_SECONDS = 0.05

_log = logging.getLogger(__name__)


class Doorbell:
    """Rings queues from a thread of its own, so that nobody waits for the broker.

    While a ring is on its way, or lies in its queue, further ones are joined to it: the worker that takes it
    finds all work there is. A ring that fails is logged and dropped: the sweeper rings for what is due
    (docs/decisions/0002-the-queue-is-a-doorbell.md). Safe to use from several threads.
    """

    def __init__(
        self, settings: QueueSettings, *, tell: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        """`tell` is called with the queue and the outcome of every ring: `rung`, `joined` or `failed`.

        It is called in the doorbell's own thread.
        """
        self._tell = tell
        self._celery = make_celery(settings)
        self._options = _build_ring_options(settings)
        self._producer: Any = None
        self._is_failing = False
        self._pending: set[str] = set()
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self, queue: str) -> None:
        """Ask for a ring of `queue`; returns at once and never raises."""
        # A pending ring is sent after this moment, so it announces this work too: no lock, and nobody to wake.
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
            if self._has_ring(queue):
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
            self._disconnect()

    def _has_ring(self, queue: str) -> bool:
        """Whether a ring lies in the queue already: asking costs far less than a ring, here and in the worker."""
        try:
            return count_rings(self._open_producer().channel, queue) > 0
        except ChannelError:
            # RabbitMQ closes the channel if no worker has been up yet.
            self._disconnect()
            return False

    def _open_producer(self) -> Any:
        if self._producer is None:
            self._producer = self._celery.amqp.Producer(self._new_connection(), auto_declare=False)
        return self._producer

    def _disconnect(self) -> None:
        """Close the connection; the next ring opens another."""
        if self._producer is not None:
            self._producer.connection.collect()
            self._producer = None

    def _new_connection(self) -> Any:
        return self._celery.connection_for_write(transport_options=self._options)

    def queue_lengths(self) -> dict[str, int]:
        """How many rings lie in each queue, by its name. Blocks on the broker; raises what kombu raises."""
        found = {}
        with self._new_connection() as connection:
            for queue in TASK_OF_QUEUE:
                try:
                    # Its channel is closed with the connection.
                    found[queue] = count_rings(connection.channel(), queue)
                except ChannelError:
                    found[queue] = 0
        return found

    def is_reachable(self) -> bool:
        """Whether the broker answers. Blocks, for about the ring timeout at most."""
        try:
            with self._new_connection() as connection:
                connection.connect()
                channel: Any = connection.channel()
                channel.close()
        except Exception:  # noqa: BLE001 (kombu raises the driver's errors, of many kinds)
            return False
        return True

    def close(self) -> None:
        """Stop ringing; the sweeper will ring for what is pending. Waits up to two seconds for a ring under way."""
        self._closed.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=2)
        if self._thread is None or not self._thread.is_alive():
            self._disconnect()
        self._celery.close()


def _build_ring_options(settings: QueueSettings) -> dict[str, Any]:
    """Transport options of the connection that rings: it gives up sooner than a consumer's."""
    seconds = settings.ring_timeout.total_seconds()
    if settings.is_amqp:
        return {"read_timeout": seconds, "write_timeout": seconds}
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}
