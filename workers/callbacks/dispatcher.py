"""Who calls the endpoints: takes those that are due, and runs each beside the others in one event loop.

An endpoint that hangs costs a place of many for ten seconds, and one that failed is not called before its pause is over. Those
that failed or were slow last share half of the places. So the others are called at once (contract §9: one slow or dead app
delays no other).
"""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from storage.model.errors import TransientError
from storage.postgres.app_events import pushing
from storage.postgres.app_events.pushing import TakenEndpoint
from workers.callbacks.endpoint_run import EndpointRun
from workers.callbacks.services import CallbackServices

_log = logging.getLogger(__name__)

# Each has a connection to PostgreSQL for as long as a question takes.
QUESTIONS_AT_ONCE = 4
# An endpoint whose call took longer is slow until its next one.
SLOW_SECONDS = 1.0
# How long calls under way may go on when the process ends.
CLOSE_SECONDS = 3.0


class Dispatcher:
    """Takes due endpoints whenever it is asked to or a call has ended, and runs them. Lives in a thread of its own."""

    def __init__(self, services: CallbackServices) -> None:
        self._services = services
        self._executor = ThreadPoolExecutor(QUESTIONS_AT_ONCE, thread_name_prefix="record")
        self._loop = asyncio.new_event_loop()
        self._runs: dict[asyncio.Task[None], TakenEndpoint] = {}
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="dispatcher", daemon=True
        )
        self._slow: set[int] = set()
        self._is_closing = False
        # One at a time: each counts the places that are free.
        self._takes = asyncio.Lock()
        self._wanted = asyncio.Event()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._go_on(), self._loop)

    def take_due(self) -> int:
        """Take what is due and begin to call it; returns how many endpoints are taken now, while the calls go on.

        Blocks for PostgreSQL and not for any endpoint. Raises TransientError if PostgreSQL is away.
        """
        return asyncio.run_coroutine_threadsafe(self._take_due(), self._loop).result()

    async def _take_due(self) -> int:
        async with self._takes:
            taken = await self._take(failing=False)
            return taken + await self._take(failing=True)

    async def _take(self, *, failing: bool) -> int:
        places = self._count_places(failing=failing)
        if places <= 0 or self._is_closing:
            return 0
        take = partial(
            self._services.database.transaction,
            pushing.take_endpoints,
            limit=places,
            failing=failing,
            lease=self._services.lease,
            slow=frozenset(self._slow),
        )
        taken = await self._loop.run_in_executor(self._executor, take)
        for endpoint in taken:
            run = EndpointRun(self._services, endpoint, executor=self._executor)
            task = self._loop.create_task(self._run(run, endpoint))
            self._runs[task] = endpoint
            task.add_done_callback(self._runs.pop)
        return len(taken)

    def _count_places(self, *, failing: bool) -> int:
        most = self._services.settings.calls
        free = most - len(self._runs)
        if not failing:
            return free
        others = sum(one.attempts > 0 or one.app_id in self._slow for one in self._runs.values())
        return min(free, max(1, most // 2) - others)

    async def _run(self, run: EndpointRun, endpoint: TakenEndpoint) -> None:
        """One run to its end, whatever happens; then its place goes to what has become due meanwhile."""
        try:
            await run.run()
        except TransientError as error:
            _log.warning("App %d will be called again: %s", endpoint.app_id, error.detail)
        else:
            is_slow = run.slowest_seconds > SLOW_SECONDS
            (self._slow.add if is_slow else self._slow.discard)(endpoint.app_id)
            self._wanted.set()

    async def _go_on(self) -> None:
        """Look for what is due whenever runs have ended: their places are free, and they may have left something."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._take_due()
            except TransientError as error:
                _log.warning("What is due cannot be seen: %s", error.detail)

    def close(self) -> None:
        """Take nothing more, let calls under way end for a moment, give the rest back and stop. Safe to repeat."""
        if self._is_closing:
            return
        self._is_closing = True
        asyncio.run_coroutine_threadsafe(self._end_runs(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._executor.shutdown()

    async def _end_runs(self) -> None:
        if self._runs:
            await asyncio.wait(self._runs, timeout=CLOSE_SECONDS)
        late = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
