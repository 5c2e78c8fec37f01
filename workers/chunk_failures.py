"""What a broadcast lane does with a chunk that fails: it rests, alone, and is told of (contract §3)."""

import logging

from storage.model.broadcast import Chunk, ChunkState
from storage.model.errors import reason
from storage.postgres.broadcasts import failures
from workers.process import Process

_log = logging.getLogger(__name__)


def set_aside(process: Process, chunk: Chunk, *, state: ChunkState, error: Exception) -> None:
    """Let a chunk that could not be taken on from `state` rest, for longer each time; others go on."""
    process.telemetry.chunks_failed.labels(state.value).inc()
    _log.error(
        "Chunk %d of broadcast %d (%s) failed: %s",
        *(chunk.number, chunk.broadcast_id, state.value, reason(error)),
    )
    process.database.transaction(failures.count_chunk, chunk, state=state, error=reason(error))
