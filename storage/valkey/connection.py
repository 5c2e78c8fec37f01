"""How Valkey is reached: clients that never repeat a write, and errors translated once.

Used by the pipes of `storage` that live there: bus, tickets, limits.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.model.errors import InvalidSettings, TransientError
from storage.settings import ValkeySettings

AWAY = "The message bus is not reachable at the moment."


def client(settings: ValkeySettings) -> redis.Redis:
    """A blocking client; connects at the first command.

    A command is sent once: redis-py's own ten retries would repeat a write whose answer was lost.
    """
    with malformed_url():
        return redis.Redis.from_url(
            settings.url,
            protocol=2,
            socket_timeout=settings.timeout.total_seconds(),
            socket_connect_timeout=settings.timeout.total_seconds(),
            retry=Retry(NoBackoff(), 0),
        )


def valkey_client(settings: ValkeySettings, *, connections: int = 20) -> redis.asyncio.Redis:
    """The same for an event loop; with all `connections` busy, a command waits for one."""
    with malformed_url():
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.url,
            protocol=2,
            max_connections=connections,
            timeout=settings.timeout.total_seconds(),
            socket_timeout=settings.timeout.total_seconds(),
            socket_connect_timeout=settings.timeout.total_seconds(),
            retry=AsyncRetry(NoBackoff(), 0),
        )
    return redis.asyncio.Redis.from_pool(pool)


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever the driver raises into TransientError: Valkey is away, full, loading or slow."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise TransientError(AWAY) from error


@contextmanager
def malformed_url() -> Iterator[None]:
    """Turn a complaint about a URL into InvalidSettings without the URL: it may hold a password."""
    try:
        yield
    except ValueError as error:
        raise InvalidSettings("CARILLON_VALKEY_URL is not a redis:// URL") from error
