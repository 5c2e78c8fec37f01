"""Pauses: what an operator stopped for a while, and what may be paused."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PauseKind(StrEnum):
    """What is paused: the work of a queue, or everything of an app."""

    QUEUE = "queue"
    APP = "app"


# Upkeep is not among them: the sweep and the partitions of the next months are its work, and without them nothing
# that is accepted could be delivered in the end.
PAUSABLE_QUEUES = ("sends", "broadcasts")
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that is in effect. `target` is a queue's name or an app's string id.

    `paused_at` is when it began and `paused_by` who last set it; `until` is when it ends by itself (None: never).
    """

    kind: PauseKind
    target: str
    reason: str
    paused_by: str
    paused_at: datetime
    until: datetime | None
