"""What responses carry of broadcasts: how far they have come, and who has not read one (contract §3)."""

from dataclasses import dataclass

from ingest.models.responses import Time, UnixMs
from storage.model.broadcast import BroadcastStatus


@dataclass(frozen=True)
class BroadcastLine:
    """How far a broadcast has come, as a list shows it.

    `last_error`: says that something fails, null if nothing does. `held`: the app is disabled or paused, or
    broadcasts are, and nothing goes on until that ends.
    """

    id: int
    """Its id, which is that of its message."""
    status: BroadcastStatus
    """Where it stands. `DONE` only when every one of `total` has it."""
    total: int
    """How many people it is for."""
    expanded: int
    """How many of them have it."""
    failed_chunks: int
    """Parts that fail for now and are tried again."""
    last_error: str | None
    """Says that something fails; null if nothing does."""
    held: bool
    """True while an operator stops the app, or all broadcasts: nothing goes on until that ends."""
    recalled: int
    """From how many people it was taken back."""
    read: int
    """How many have read it; up to a minute old."""
    created_at: Time
    """When it was accepted, in the deployment's time zone, without an offset."""
    created_at_ms: UnixMs
    """The same instant as Unix milliseconds."""
    started_at: Time | None
    """When the first people got it, in the deployment's time zone, without an offset; null before that."""
    started_at_ms: UnixMs | None
    """The same instant as Unix milliseconds; null before that."""
    finished_at: Time | None
    """When it came to rest, in the deployment's time zone, without an offset; null before that."""
    finished_at_ms: UnixMs | None
    """The same instant as Unix milliseconds; null before that."""
    rate_per_second: float | None
    """People a second who got it so far; null before the first."""


@dataclass(frozen=True)
class BroadcastAnswer(BroadcastLine):
    """How far a broadcast has come; `unresolved` are the names in its audience that nobody has."""

    unresolved: list[str]
    """Names in its audience that nobody has."""


@dataclass(frozen=True)
class BroadcastPreviewAnswer:
    """What a broadcast would be if it were sent now, in the words of its report. Nothing was sent."""

    total: int
    """How many people it would be for."""
    unresolved: list[str]
    """Names in its audience that nobody has."""


@dataclass(frozen=True)
class UnreadPersonAnswer:
    """A person who has not read a broadcast; `app_user_id` is the app's name for them, null without a mapping."""

    user_id: int
    """The person's platform id."""
    app_user_id: str | None
    """The calling app's name for them; null without a mapping."""
    name: str
    """Their name."""


@dataclass(frozen=True)
class UnreadAnswer:
    """A page of the people who have not read a broadcast, by user id."""

    items: list[UnreadPersonAnswer]
    """People who have it and have not read it, by user id."""
