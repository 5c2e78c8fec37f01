"""What the broker has to say of the queues: how many rings lie in one, and which have a worker that takes from them."""

from typing import Any

import kombu

from storage.broker.queues import QueueSettings, make_celery
from storage.model.errors import TransientError


def count_rings(channel: Any, queue: str) -> int:
    """How many rings lie in `queue`, over a kombu channel.

    RabbitMQ closes the channel and raises ChannelError when there is no such queue yet; on Valkey and Redis
    an empty queue does not exist, and that is 0.
    """
    borrowed = getattr(channel, "conn_or_acquire", None)
    if borrowed is None:
        return int(channel.queue_declare(queue, passive=True).message_count)
    # Redis is asked for the list's length alone: kombu's passive declaration sends many commands in two round
    # trips. Rings have no priority, so the list's key is the queue's name.
    with borrowed() as client:
        return int(client.llen(queue))


def find_consumed_queues(settings: QueueSettings, *, seconds: float) -> set[str]:
    """The names of the queues that some worker takes from.

    Waits `seconds` for answers; a worker that does not answer by then does not count. Raises TransientError
    when the broker is away.
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
