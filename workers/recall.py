"""Taking broadcasts back, chunk by chunk: out of the histories, then told. A part of every broadcast lane."""

import logging

from storage import broadcast_recalls
from storage.model.broadcast import Chunk
from storage.model.conversation import app_peer
from storage.model.errors import NeverWillWork, TryLater
from storage.model.event import MessageRecalled
from workers.process import Process

_log = logging.getLogger(__name__)


def step(process: Process) -> bool:
    """Take one chunk back and say so; False if there is none that nobody has.

    A lane that dies in between leaves a chunk that is out and not told of: another tells when its
    lease is over.
    """
    try:
        chunk = process.database.run(broadcast_recalls.take_back_next, lease=process.settings.lease)
    except NeverWillWork as error:
        # Nothing was changed; the sweep rings again, and an operator reads this.
        _log.error("A chunk cannot be taken back: %s", error.detail)
        return False
    if chunk is None:
        return False
    process.telemetry.people.labels("taken_back").inc(len(chunk.user_ids))
    if _is_told(process, chunk):
        process.database.run(broadcast_recalls.mark_recalled, chunk)
    return True


def _is_told(process: Process, chunk: Chunk) -> bool:
    recipients = ((app_peer(chunk.app_id), chunk.user_ids),)
    try:
        process.bus.publish([MessageRecalled(chunk.broadcast_id, recipients, part=chunk.number)])
    except TryLater as error:
        _log.warning("Recall not published, for now: %s", error.detail)
        process.telemetry.unpublished.inc()
        return False
    return True
