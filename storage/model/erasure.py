"""Erasing a person: what the record shows in their place, and how far an erasure is."""

from dataclasses import dataclass
from datetime import datetime

# What others see in place of an erased person's name.
ERASED_NAME = "已注销用户"


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far the erasure of a person is; `finished_at` None: it goes on, in upkeep.

    `deliveries`: copies of messages that were theirs; `sends`: what was on its way from or to them; `messages`: those that
    nobody had a copy of any more; `media`: uploads that were in no message. `error`: why it failed last, None if it did not.
    """

    user_id: int
    requested_at: datetime
    requested_by: str
    step: str
    deliveries: int
    sends: int
    messages: int
    media: int
    error: str | None
    finished_at: datetime | None
