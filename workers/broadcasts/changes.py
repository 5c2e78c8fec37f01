"""Telling everyone who has a broadcast that it changed, chunk by chunk (contract §8). A part of a broadcast lane."""

import logging

from storage.model.broadcast import Chunk, ChunkState
from storage.model.conversation import app_peer
from storage.model.errors import TransientError
from storage.model.event import MessageUpdated
from storage.postgres.broadcasts import changes, expansion
from workers.broadcasts.chunk_failures import record_chunk_failure
from workers.message_events import resolve_content
from workers.services import Services

_log = logging.getLogger(__name__)


def tell_chunk(services: Services) -> bool:
    """Tell the people of the next chunk of a changed broadcast its newest form; False: there is nobody to tell.

    If this lane dies in between, another tells them, perhaps again, when the lease is over. A chunk that fails, for
    whatever reason, rests, alone. Raises TransientError if PostgreSQL is away or too slow; then the chunk that was next
    rests too, so that the next lane begins with another.
    """
    lease = services.settings.lease
    try:
        chunk = services.database.transaction(changes.claim_next, lease=lease)
    except TransientError as error:
        _let_next_rest(services, error)
        raise
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        return _let_next_rest(services, error)
    if chunk is None:
        return False
    _publish(services, chunk)
    return True


def _publish(services: Services, chunk: Chunk) -> None:
    try:
        services.bus.publish([_make_event(services, chunk)])
    except TransientError as error:
        # Its lease runs out; a lane that comes by when the bus is back publishes it.
        _log.warning("Change not published, for now: %s", error.detail)
        services.metrics.unpublished.inc()
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        record_chunk_failure(services, chunk, state=ChunkState.PUBLISHED, error=error)
    else:
        services.metrics.people.labels("told").inc(len(chunk.user_ids))
        services.database.transaction(changes.mark_told, chunk)


def _make_event(services: Services, chunk: Chunk) -> MessageUpdated:
    message = services.database.transaction(expansion.load_message, chunk.broadcast_id).message
    recipients = ((app_peer(chunk.app_id), chunk.user_ids),)
    content = resolve_content(message, services.media)
    return MessageUpdated(message, content, recipients, part=chunk.number)


def _let_next_rest(services: Services, error: Exception) -> bool:
    """Let the chunk that was next rest, and it alone; False: none is left.

    If PostgreSQL is away, this raises TransientError too, and nothing is noted.
    """
    chunk = services.database.transaction(changes.find_next)
    if chunk is None:
        return False
    record_chunk_failure(services, chunk, state=ChunkState.PUBLISHED, error=error)
    return True
