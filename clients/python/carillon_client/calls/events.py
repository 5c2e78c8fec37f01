"""Asking for the app's events: what became of what it sent."""

from carillon_client.errors import TemporaryError
from carillon_client.exchange import Item, Items, Pause, Query, Request, call_json
from carillon_client.results import AppEvent
from carillon_client.retries import NEVER_AGAIN

_PAGE = 100
_PAUSE_SECONDS = 1.0


def follow_events(after: int, *, wait: int) -> Items[AppEvent]:
    """Each event behind the number `after`, in order, for ever; while there is none the server is asked to wait.

    While the server is busy or away it goes on asking.
    """
    while True:
        query: Query = {"after": after, "limit": _PAGE, "wait": wait}
        try:
            answer = yield from call_json(Request("GET", "/apps/me/events", query), NEVER_AGAIN)
        except TemporaryError as error:
            yield Pause(max(_PAUSE_SECONDS, error.retry_after or 0.0))
            continue
        for one in answer["items"]:
            yield Item(AppEvent.from_json(one))
        after = answer["next_after"]
        if not answer["items"] and not wait:
            yield Pause(_PAUSE_SECONDS)
