"""The events of one endpoint that is in hand: it is called for one after the other, until a call fails (contract §9)."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, TypeVar

import orjson

from storage.model.app_event import AppEvent, present_event
from storage.model.errors import PermanentError, TransientError
from storage.postgres.app_events import pushing
from storage.postgres.app_events.callback_secrets import find_callback_secrets
from storage.postgres.app_events.numbering import number_events
from storage.postgres.app_events.pushing import TakenEndpoint
from storage.postgres.app_events.reading import list_events
from workers.callbacks.back_off import find_pause
from workers.callbacks.endpoint_client import CallResult, Outcome
from workers.callbacks.services import CallbackServices
from workers.callbacks.signing import build_headers

Result = TypeVar("Result")

# After so many an endpoint is given back, so that one with much to take does not keep others from their turn.
EVENTS_OF_A_RUN = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Work:
    """What an endpoint is to be told next. Without events, all up to `highest` is gone or was withdrawn."""

    events: list[AppEvent]
    secrets: tuple[str, ...]
    highest: int


class EndpointRun:
    """Calls one endpoint that is in hand for its next events, and gives it back.

    PostgreSQL is asked in threads of `executor`, so that other runs of the same loop go on.
    """

    def __init__(
        self, services: CallbackServices, endpoint: TakenEndpoint, *, executor: Executor
    ) -> None:
        self._services = services
        self._endpoint = endpoint
        self._executor = executor
        self.slowest_seconds = 0.0

    async def run(self) -> None:
        """Call for up to EVENTS_OF_A_RUN events; stop at the first that is not taken.

        Raises TransientError when PostgreSQL is away: then the lease ends by itself, and what was not marked is pushed
        again. Safe to cancel at any time, with the same consequence at most.
        """
        try:
            await self._call_for_all()
        except TransientError:
            raise
        except PermanentError as error:
            await self._note_failure(error.detail)
        except Exception as error:  # noqa: BLE001 (top of a run)
            # Noted like any failure: it is seen, rests, and is paused at last. The other endpoints go on.
            _log.exception("The run of app %d failed", self._endpoint.app_id)
            await self._note_failure(f"A fault of Carillon's own: {type(error).__name__}.")
        except asyncio.CancelledError:
            # Another worker need not wait for the end of the lease.
            await self._ask(pushing.give_back, self._endpoint)
            raise

    async def _call_for_all(self) -> None:
        work = await self._in_thread(self._find_work)
        if not work.events:
            await self._mark_taken(work.highest)
        for event in work.events:
            result = await self._call(event, work.secrets)
            if result.outcome is not Outcome.TAKEN:
                await self._note(result)
                return
            if not await self._mark_taken(event.seq):
                return
        await self._ask(pushing.give_back, self._endpoint)

    def _find_work(self) -> _Work:
        """Number the app's events and read the next ones. `highest` is read first: what is numbered later is above it."""
        ask, app_id = self._services.database.transaction, self._endpoint.app_id
        ask(number_events, app_id)
        highest = ask(pushing.find_highest_number, app_id)
        after = self._endpoint.taken_up_to
        events = ask(list_events, app_id, after=after, limit=EVENTS_OF_A_RUN)
        secrets = ask(find_callback_secrets, app_id, vault=self._services.vault)
        if not secrets:
            raise PermanentError("The app has no secret for callbacks.")
        return _Work(events, secrets, highest)

    async def _call(self, event: AppEvent, secrets: tuple[str, ...]) -> CallResult:
        body = encode_event(event, self._services.zone)
        headers = build_headers(event.webhook_id, body, timestamp=int(time.time()), secrets=secrets)
        began = time.monotonic()
        result = await self._services.client.call(self._endpoint.url, body, headers)
        outcome = result.outcome.name.lower()
        seconds = time.monotonic() - began
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self._services.metrics.call_seconds.labels(outcome).observe(seconds)
        return result

    async def _mark_taken(self, seq: int) -> bool:
        kept = await self._ask(pushing.mark_taken, self._endpoint, seq, lease=self._services.lease)
        if kept is not None:
            self._endpoint = kept
        return kept is not None

    async def _note(self, result: CallResult) -> None:
        """Note a call that was not taken, and end the lease."""
        if result.outcome is not Outcome.GONE:
            await self._note_failure(result.error)
            return
        app_id = self._endpoint.app_id
        self._services.metrics.count_failure(app_id)
        _log.warning("The endpoint of app %d is off: %s", app_id, result.error)
        await self._ask(pushing.mark_gone, self._endpoint, error=result.error)

    async def _note_failure(self, error: str) -> None:
        app_id, failures = self._endpoint.app_id, self._endpoint.attempts + 1
        pause = find_pause(failures)
        self._services.metrics.count_failure(app_id)
        if pause is None:
            _log.warning("The endpoint of app %d is paused after %d failures: %s", app_id, failures, error)  # fmt: skip
        await self._ask(pushing.mark_failed, self._endpoint, error=error, pause=pause)

    async def _ask(self, question: Callable[..., Result], *args: Any, **options: Any) -> Result:
        ask = self._services.database.transaction
        return await self._in_thread(partial(ask, question, *args, **options))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def encode_event(event: AppEvent, zone: tzinfo) -> bytes:
    """The body of a call: the event as a pull shows it, and its `timestamp` as Standard Webhooks names it (RFC 3339, UTC)."""
    timestamp = event.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    shown: dict[str, Any] = present_event(event, zone)
    return orjson.dumps(shown | {"timestamp": timestamp.replace("+00:00", "Z")})
