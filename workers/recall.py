"""Taking broadcasts back, chunk by chunk: out of the histories, then told. A part of every broadcast lane."""

import logging

from storage.model.broadcast import Chunk, ChunkState
from storage.model.conversation import app_peer
from storage.model.errors import TransientError, reason
from storage.model.event import MessageRecalled
from storage.postgres.broadcasts import recalls
from storage.postgres.broadcasts.recalls import Recallable
from workers.chunk_failures import set_aside
from workers.process import Process

_log = logging.getLogger(__name__)


def step(process: Process) -> bool:
    """Take one chunk back and say so; False if there is none that nobody has.

    A lane that dies in between leaves a chunk that is out and not told of: another tells when its
    lease is over. One that fails, alone, rests; others go on.
    """
    lease = process.settings.lease
    try:
        chunk = process.database.transaction(recalls.take_back_next, lease=lease)
    except TransientError as error:
        _let_rest(process, error)
        raise
    except Exception as error:  # noqa: BLE001 (one chunk must not stop the others)
        return _find_culprit(process, error)
    if chunk is None:
        return False
    _tell(process, chunk)
    return True


def _tell(process: Process, chunk: Chunk) -> None:
    process.telemetry.people.labels("taken_back").inc(len(chunk.user_ids))
    recipients = ((app_peer(chunk.app_id), chunk.user_ids),)
    try:
        process.bus.publish([MessageRecalled(chunk.broadcast_id, recipients, part=chunk.number)])
    except TransientError as error:
        _log.warning("Recall not published, for now: %s", error.detail)
        process.telemetry.unpublished.inc()
    except Exception as error:  # noqa: BLE001 (as above)
        set_aside(process, chunk, state=ChunkState.TAKEN_BACK, error=error)
    else:
        process.database.transaction(recalls.mark_recalled, chunk)


def _let_rest(process: Process, error: TransientError) -> None:
    """What PostgreSQL took too long for must not be the first that the next lane tries."""
    found = process.database.transaction(recalls.suspect)
    if found is not None:
        set_aside(process, found.chunk, state=found.state, error=error)


def _find_culprit(process: Process, error: Exception) -> bool:
    """Take back alone the chunk that was next; only if that fails too, it was this one."""
    found = process.database.transaction(recalls.suspect)
    if found is None:
        _log.error("A chunk could not be taken back, and none is left: %s", reason(error))
        return False
    _try_alone(process, found)
    return True


def _try_alone(process: Process, found: Recallable) -> None:
    lease = process.settings.lease
    try:
        chunk = process.database.transaction(recalls.take_back, found.chunk, lease=lease)
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 (as above)
        set_aside(process, found.chunk, state=found.state, error=error)
    else:
        if chunk is not None:
            _tell(process, chunk)
