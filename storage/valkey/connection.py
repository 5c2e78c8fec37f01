"""How Valkey is reached: clients that never repeat a write, and the driver's errors translated into ours.

Used by everything in this room; nothing else knows the driver.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.model.error_codes import ErrorCode
from storage.model.errors import InvalidSettings, TransientError
from storage.settings import ValkeySettings

AWAY = "The message bus is not reachable at the moment."


def make_client(settings: ValkeySettings) -> redis.Redis:
    """A blocking client, which connects at the first command. Raises InvalidSettings for a malformed URL.

    A command is sent once: redis-py's own retries would repeat a write whose answer was lost.
    """
    with refuse_malformed_url():
        return redis.Redis.from_url(
            settings.url,
            protocol=2,
            socket_timeout=settings.timeout.total_seconds(),
            socket_connect_timeout=settings.timeout.total_seconds(),
            retry=Retry(NoBackoff(), 0),
        )


def make_async_client(settings: ValkeySettings, *, connections: int = 20) -> redis.asyncio.Redis:
    """A client for an event loop, which connects at the first command. Raises InvalidSettings for a malformed URL.

    It has up to `connections`; when all are busy, a command waits for one, for the settings' timeout at most. A
    command is sent once, as by `make_client`.
    """
    with refuse_malformed_url():
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
def translate_valkey_errors() -> Iterator[None]:
    """Turn everything that the driver raises into TransientError: Valkey is away, full, loading or slow."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise TransientError(AWAY, code=ErrorCode.BUS_AWAY) from error


@contextmanager
def refuse_malformed_url() -> Iterator[None]:
    """Turn a complaint about a malformed URL into InvalidSettings without the URL: it may hold a password."""
    try:
        yield
    except ValueError as error:
        raise InvalidSettings("CARILLON_VALKEY_URL is not a redis:// URL") from error
