"""A broadcast: one message to many, expanded in chunks (contract §3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BroadcastStatus(StrEnum):
    """Where a broadcast stands."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    EXPANDING = "EXPANDING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    RECALLING = "RECALLING"
    RECALLED = "RECALLED"


class ChunkState(StrEnum):
    """Where a chunk stands: expanded is in the histories, published is on the bus too.

    Failed is one that a version before 0.1.0 gave up; now what fails keeps its state and is tried again.
    """

    WAITING = "waiting"
    EXPANDED = "expanded"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TAKEN_BACK = "taken_back"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class BroadcastReport:
    """What `GET /broadcasts/{id}` tells. Counts are people; `rate_per_second` is None until it starts.

    `last_error` is an operator's to read: why a part of it fails now (None: nothing does). `is_held`:
    its app is disabled or paused, or broadcasts are paused altogether, so nothing more of it is delivered until that ends.
    """

    id: int
    status: BroadcastStatus
    total: int
    expanded: int
    failed_chunks: int
    last_error: str | None
    is_held: bool
    recalled: int
    read: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rate_per_second: float | None
    unresolved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnreadPerson:
    """Who has not read a broadcast; `app_user_id` is the sending app's first name for them, if any."""

    user_id: int
    app_user_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the frozen audience of an app's broadcast: `user_ids` ascending.

    `is_barred`: some of its people do not have an earlier broadcast of the app on the bus yet, so its event
    has to wait (contract §2, Order). `version`: of the card that its people were, or are now to be, told.
    """

    broadcast_id: int
    number: int
    app_id: int
    user_ids: tuple[int, ...]
    is_barred: bool = False
    version: int = 1
