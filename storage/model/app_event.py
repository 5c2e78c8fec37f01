"""Events to apps: what a business app is told of its own sends (contract §9). Pure.

Written by the statements that cause them (`storage/postgres/app_events/writing.py`); apps hear of them by push and by pull, in
one form, which `present_event` makes.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Any

from storage.model.instant import to_unix_ms


class AppEventType(StrEnum):
    """What can happen that an app may ask to be told of."""

    MESSAGE_READ = "message.read"
    MESSAGE_FAILED = "message.failed"
    BROADCAST_DONE = "broadcast.done"
    BROADCAST_FAILED = "broadcast.failed"
    BROADCAST_CANCELLED = "broadcast.cancelled"
    BROADCAST_RECALLED = "broadcast.recalled"


# What `carillon callbacks test` has pushed: no app asks for it, and each gets it.
TEST_EVENT = "callback.test"


class CallbackStatus(StrEnum):
    """Whether events are pushed to an app's URL: ACTIVE, PAUSED (it failed too often), or OFF (it answered 410)."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    OFF = "OFF"


@dataclass(frozen=True, slots=True)
class AppEvent:
    """One numbered event of an app.

    `seq` rises within the app, with gaps. `webhook_id` names the event over all attempts to push it. `data` is as it is
    stored: instants in it are Unix milliseconds, in fields named `<name>_ms`.
    """

    seq: int
    type: str
    data: dict[str, Any]
    created_at: datetime
    webhook_id: str


@dataclass(frozen=True, slots=True)
class AppCallback:
    """What an app asked to be told of, and how far it is told.

    `url` is None for an app that only pulls. `taken_up_to` is the last `seq` that the URL has answered with 2xx,
    `pulled_up_to` the highest `after` that the app asked for, `last_seq` the highest `seq` that is given out. After a
    failure there is a `last_error`, and the next attempt is at `next_try_at`.
    """

    app_id: int
    url: str | None
    events: tuple[str, ...]
    status: CallbackStatus
    attempts: int
    next_try_at: datetime
    last_error: str | None
    taken_up_to: int
    pulled_up_to: int
    last_seq: int
    created_at: datetime


def present_event(event: AppEvent, zone: tzinfo) -> dict[str, Any]:
    """The event as apps get it, pushed or pulled: `seq`, `type`, `time`, `time_ms`, `data` (contract §9).

    Beside each field `<name>_ms` of the data stands `<name>`, the same instant in `zone` (contract §0, Times).
    """
    return {
        "seq": event.seq,
        "type": event.type,
        "time": _format(to_unix_ms(event.created_at), zone),
        "time_ms": to_unix_ms(event.created_at),
        "data": _add_times(event.data, zone),
    }


def _add_times(value: Any, zone: tzinfo) -> Any:
    if isinstance(value, list):
        return [_add_times(one, zone) for one in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for name, inner in value.items():
        if name.endswith("_ms") and isinstance(inner, int):
            shown[name.removesuffix("_ms")] = _format(inner, zone)
        shown[name] = _add_times(inner, zone)
    return shown


def _format(unix_ms: int, zone: tzinfo) -> str:
    return _format_second(unix_ms // 1000, zone)


# The reads of an event are of a few seconds.
@lru_cache(maxsize=1024)
def _format_second(second: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None).isoformat()
