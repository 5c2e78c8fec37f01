"""What a worker process holds open."""

from collections.abc import Mapping

from ops.local.polling import wait_until
from storage.broker.queues import SENDS
from workers.services import open_services


def test_the_doorbell_of_a_worker_rings_the_real_broker(environ: Mapping[str, str]) -> None:
    """A ring lies in its queue until a worker takes it, and the length of the queue tells."""
    opened = open_services(environ)
    assert opened.doorbell.is_reachable()
    assert opened.doorbell.queue_lengths()[SENDS] == 0
    opened.doorbell.ring(SENDS)
    assert wait_until(lambda: opened.doorbell.queue_lengths()[SENDS] == 1, seconds=10)
    opened.doorbell.close()
    opened.database.close()
