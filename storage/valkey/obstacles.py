"""What keeps us from Valkey or Redis, as bus or as broker: a wrong password is not a dead host. For `carillon doctor`."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.reachability import Cause, Obstacle, greet, probe_address, takes_tls

_SIGNS = (
    ("WRONGPASS", Cause.WRONG_PASSWORD),
    ("invalid username-password", Cause.WRONG_PASSWORD),
    ("without any password configured", Cause.WRONG_PASSWORD),
    ("Authentication required", Cause.NO_PASSWORD),
    ("protected mode", Cause.NO_PASSWORD),
    ("DB index is out of range", Cause.UNKNOWN_DATABASE),
    ("invalid DB index", Cause.UNKNOWN_DATABASE),
    ("max number of clients", Cause.FULL),
    ("loading the dataset", Cause.STARTING),
    ("ermission", Cause.NOT_ALLOWED),
    ("certificate", Cause.BAD_CERTIFICATE),
    ("CERTIFICATE", Cause.BAD_CERTIFICATE),
    ("SSL", Cause.NO_TLS),
)


def find_obstacle(url: str, *, name: str, seconds: float) -> Obstacle | None:
    """What keeps us from using the server at `url`, which the setting `name` says; None if it answers.

    Blocks for about three times `seconds` at most.
    """
    try:
        client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        return Obstacle(Cause.MALFORMED, name)
    options = client.connection_pool.connection_kwargs
    host, port = options.get("host"), options.get("port", 6379)
    with client:
        if host:
            found = probe_address(host, port, seconds=seconds) or _probe_protocol(
                host, port, is_tls=url.startswith("rediss:"), seconds=seconds
            )
            if found:
                return found
        try:
            client.ping()
        except (redis.RedisError, OSError) as error:
            where = f"{host}:{port}" if host else str(options.get("path"))
            return Obstacle(_recognise(error), where, str(error))
    return None


def _probe_protocol(host: str, port: int, *, is_tls: bool, seconds: float) -> Obstacle | None:
    """What is in the way if the server speaks another protocol than ours: TLS, none, or that of another server."""
    where = f"{host}:{port}"
    try:
        said = greet(host, port, greeting=b"PING\r\n", seconds=seconds)
    except TimeoutError:
        # A server of TLS may wait for more of what it takes for a greeting of its own.
        said = None
    if said is not None and said.startswith((b"+", b"-")):
        return Obstacle(Cause.NO_TLS, where) if is_tls else None
    if takes_tls(host, port, seconds=seconds):
        return None if is_tls else Obstacle(Cause.TLS_WANTED, where)
    return Obstacle(Cause.SILENT if said is None else Cause.WRONG_SERVER, where)


def _recognise(error: Exception) -> Cause:
    text = str(error)
    if isinstance(error, redis.TimeoutError):
        return Cause.SILENT
    if isinstance(error, redis.exceptions.InvalidResponse):
        return Cause.WRONG_SERVER
    return next((cause for sign, cause in _SIGNS if sign in text), Cause.REFUSED)
