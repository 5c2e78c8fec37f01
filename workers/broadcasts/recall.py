"""Taking a broadcast back, chunk by chunk: out of the histories, then an event says so. A part of a broadcast lane."""

import logging

from storage.model.broadcast import Chunk, ChunkState
from storage.model.conversation import app_peer
from storage.model.errors import TransientError, describe_error
from storage.model.event import MessageRecalled
from storage.postgres.broadcasts import recalls
from storage.postgres.broadcasts.recalls import RecallableChunk
from workers.broadcasts.chunk_failures import record_chunk_failure
from workers.services import Services

_log = logging.getLogger(__name__)


def take_back_chunk(services: Services) -> bool:
    """Take the next chunk of a recalled broadcast out of the histories and publish that; False: there is none to take.

    A chunk that another lane has in hand is left to it. If this lane dies in between, another publishes the recall when
    the lease is over. A chunk that fails, for whatever reason, rests, alone. Raises TransientError if PostgreSQL is
    away or too slow; then the chunk that was next rests too, so that the next lane begins with another.
    """
    lease = services.settings.lease
    try:
        chunk = services.database.transaction(recalls.take_back_next, lease=lease)
    except TransientError as error:
        _let_next_rest(services, error)
        raise
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        return _take_back_alone(services, error)
    if chunk is None:
        return False
    _publish(services, chunk)
    return True


def _publish(services: Services, chunk: Chunk) -> None:
    services.metrics.people.labels("taken_back").inc(len(chunk.user_ids))
    recipients = ((app_peer(chunk.app_id), chunk.user_ids),)
    try:
        services.bus.publish([MessageRecalled(chunk.broadcast_id, recipients, part=chunk.number)])
    except TransientError as error:
        # Its lease runs out; a lane that comes by when the bus is back publishes it.
        _log.warning("Recall not published, for now: %s", error.detail)
        services.metrics.unpublished.inc()
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        record_chunk_failure(services, chunk, state=ChunkState.TAKEN_BACK, error=error)
    else:
        services.database.transaction(recalls.mark_recalled, chunk)


def _let_next_rest(services: Services, error: TransientError) -> None:
    """Let the chunk that took PostgreSQL too long rest, so that the next lane does not try it first.

    If PostgreSQL is away, this raises TransientError too, and nothing is noted.
    """
    next_chunk = services.database.transaction(recalls.find_next_chunk)
    if next_chunk is not None:
        record_chunk_failure(services, next_chunk.chunk, state=next_chunk.state, error=error)


def _take_back_alone(services: Services, error: Exception) -> bool:
    """Take back the chunk that was next, and it alone; only if that fails too, the failure is this chunk's."""
    next_chunk = services.database.transaction(recalls.find_next_chunk)
    if next_chunk is None:
        _log.error("A chunk could not be taken back, and none is left: %s", describe_error(error))
        return False
    _try_alone(services, next_chunk)
    return True


def _try_alone(services: Services, next_chunk: RecallableChunk) -> None:
    lease = services.settings.lease
    try:
        chunk = services.database.transaction(
            recalls.take_back_chunk, next_chunk.chunk, lease=lease
        )
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        record_chunk_failure(services, next_chunk.chunk, state=next_chunk.state, error=error)
    else:
        if chunk is not None:
            _publish(services, chunk)
