"""Cards: notifications that go on changing after they were sent (contract §8)."""

from enum import StrEnum


class CardState(StrEnum):
    """How far the matter of a card is. A message with a state is a to-do of its receivers."""

    PENDING = "PENDING"
    DONE = "DONE"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"


FIRST_VERSION = 1  # of every message; each change is one more
