"""What responses carry of events to apps (contract §9)."""

from dataclasses import dataclass
from typing import Any

from ingest.models.responses import Time, UnixMs
from storage.model.app_event import AppEventType


@dataclass(frozen=True)
class AppEventAnswer:
    """One event: what became of something that the app sent."""

    seq: int
    """Its number. Numbers rise with gaps; the next page comes after the highest that you have."""
    type: AppEventType
    """What happened."""
    time: Time
    """When it was recorded, in the deployment's time zone, without an offset."""
    time_ms: UnixMs
    """The same instant as Unix milliseconds."""
    data: dict[str, Any]
    """`message.read`: `reads`, up to 500 of `message_id`, `user_id`, `app_user_id` (the app's name for the person, or
    null), `read_at`, `read_at_ms`. `message.failed`: `message_id`, `client_ref`. Of a broadcast: `broadcast_id`, and
    `total`, how many people it is for, unless it failed.
    """


@dataclass(frozen=True)
class AppEventsAnswer:
    """A page of an app's events, in order."""

    items: list[AppEventAnswer]
    """The events after the number that was asked for; none if nothing happened within the wait."""
    next_after: int
    """What to ask for next, as `after`."""
