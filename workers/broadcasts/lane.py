"""A broadcast lane: what one ring of the queue `broadcasts` sets going. Called by its task.

A lane takes a step of everything that is open in turn: a slice to plan, a chunk to expand, a chunk to take back. Lanes share
nothing but PostgreSQL, and each gives the queue back after a while
(docs/decisions/0011-chunks-of-a-broadcast.md).
"""

import time
from collections.abc import Callable

from storage.broker.queues import BROADCASTS
from workers.broadcasts.changes import tell_chunk
from workers.broadcasts.expander import Expander
from workers.broadcasts.planner import Planner
from workers.broadcasts.recall import take_back_chunk
from workers.services import Services


def run_lane(services: Services, *, now: Callable[[], float] = time.monotonic) -> int:
    """Plan, expand, publish, take back and tell of changes until nothing is open or the time is up; returns how many steps were taken.

    With work left when the time is up it rings the queue, so that a lane goes on. Safe to run many times at once and to
    die at any point: what was inserted is marked in the same transaction, so nothing is inserted twice, and what was not
    published is published by another lane when its lease is over.
    """
    deadline = now() + services.settings.drain.total_seconds()
    lane = _Lane(services, now=now)
    # First, however much else is open: the people of such a chunk already have it in their histories.
    steps = int(lane.expander.publish_leftover())
    while lane.take_step():
        steps += 1
        if now() >= deadline:
            services.doorbell.ring(BROADCASTS)
            break
    return steps


class _Lane:
    """The planner and the expander of one lane; they remember whose turn it is."""

    def __init__(self, services: Services, *, now: Callable[[], float]) -> None:
        self._services = services
        self._planner = Planner(services)
        self.expander = Expander(services, now=now)

    def take_step(self) -> bool:
        """Plan a slice, expand a chunk, take one back, tell one of a change, as far as each is open; False: nothing was."""
        has_planned = self._planner.plan_slice()
        has_expanded = self.expander.expand_chunk()
        has_recalled = take_back_chunk(self._services)
        has_told = tell_chunk(self._services)
        has_worked = has_planned or has_expanded or has_recalled or has_told
        if has_worked and not self.expander.has_left_unpublished:
            return True
        return self.expander.publish_leftover() or has_worked
