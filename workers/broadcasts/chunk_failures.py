"""What a broadcast lane does about a chunk that fails. Called where chunks are expanded, published and taken back."""

import logging

from storage.model.broadcast import Chunk, ChunkState
from storage.model.errors import describe_error
from storage.postgres.broadcasts import failures
from workers.services import Services

_log = logging.getLogger(__name__)


def record_chunk_failure(
    services: Services, chunk: Chunk, *, state: ChunkState, error: Exception
) -> None:
    """Log and count that `chunk` could not be taken on from `state`, and let it rest, for longer each time (contract §3).

    Other chunks go on meanwhile. Of an unexpected error only the kind is kept: its text may hold what people wrote.
    """
    services.metrics.chunks_failed.labels(state.value).inc()
    _log.error(
        "Chunk %d of broadcast %d (%s) failed: %s",
        *(chunk.number, chunk.broadcast_id, state.value, describe_error(error)),
    )
    services.database.transaction(
        failures.record_chunk_failure, chunk, state=state, error=describe_error(error)
    )
