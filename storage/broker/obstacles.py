"""What keeps us from the broker, RabbitMQ or Valkey. For `carillon doctor`."""

import ssl

import amqp
import kombu

from storage.broker.queues import QueueSettings
from storage.reachability import Cause, Obstacle, probe_address
from storage.valkey import obstacles as valkey_obstacles

NAME = "CARILLON_BROKER_URL"


def find_obstacle(settings: QueueSettings, *, seconds: float) -> Obstacle | None:
    """What keeps us from using the broker; None if it answers. Blocks for about three times `seconds` at most."""
    if not settings.is_amqp:
        return valkey_obstacles.find_obstacle(settings.url, name=NAME, seconds=seconds)
    with kombu.Connection(settings.url, connect_timeout=seconds) as connection:
        host, port = connection.hostname or "localhost", connection.port or 5672
        if found := probe_address(host, port, seconds=seconds):
            return found
        try:
            connection.connect()
        except Exception as error:  # noqa: BLE001 (kombu raises the driver's errors, of many kinds)
            return Obstacle(_recognise(error), f"{host}:{port}", str(error))
    return None


def _recognise(error: Exception) -> Cause:
    match error:
        case amqp.exceptions.AccessRefused():
            return Cause.WRONG_PASSWORD
        case amqp.exceptions.NotAllowed():
            return Cause.UNKNOWN_DATABASE
        case ssl.SSLCertVerificationError():
            return Cause.BAD_CERTIFICATE
        case ssl.SSLError():
            return Cause.NO_TLS
        case TimeoutError():
            return Cause.SILENT
        case _:
            return Cause.REFUSED
