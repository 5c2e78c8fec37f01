"""The sweep: every second, rings for work that is due and that nobody rang for, or whose ring was lost.

It is why a ring may be lost (docs/decisions/0002-the-queue-is-a-doorbell.md). Beat asks for it; when beat is late,
`beat_fallback.py` does. It does no harm if several sweeps run at once, or none for a while.
"""

import logging
from collections.abc import Callable

from storage.broker.queues import BROADCASTS, CALLBACKS, SENDS
from storage.model.broadcast import ChunkState
from storage.model.errors import TransientError
from storage.postgres import held_apps, pauses, periodic_jobs
from storage.postgres.app_events import pushing
from storage.postgres.broadcasts import cancellation, expansion, lane_work, recalls
from storage.postgres.sends import due_work, held_sends
from workers import disabled_users
from workers.services import Services

_log = logging.getLogger(__name__)

# Held sends that are moved in one transaction, and how many transactions of one sweep move some each way: it must not be
# late for others.
HELD_SLICE = 2_000
HELD_SLICES = 10


def sweep_on_time(services: Services) -> list[str]:
    """Note that the sweep is not late, then sweep; this is what beat asks for. Returns the queues that were rung."""
    services.database.transaction(periodic_jobs.record_start, periodic_jobs.SWEEP)
    return sweep(services)


def sweep(services: Services) -> list[str]:
    """Ring each queue that has overdue work, or scheduled sends that became due; returns the queues that were rung.

    One ring serves any number of rows, so a queue that still holds rings gets no more of them. On the way it does what
    else must happen every second: marks of disabled people, pauses and held sends, broadcasts that nobody closed, the trimming
    of the bus, the gauges that operators watch. Raises TransientError if PostgreSQL is away.
    """
    disabled_users.reconcile(services)
    freed = _update_what_is_held(services)
    _finish_broadcasts(services)
    due = [SENDS, BROADCASTS] if freed else _find_due_queues(services)
    due += [CALLBACKS] if services.database.transaction(pushing.has_due_endpoint) else []
    _show_chunks(services)
    _tend_bus(services)
    lengths = _measure_queues(services)
    # A broker that cannot say how long its queues are gets the ring.
    rung = [queue for queue in due if not lengths.get(queue)]
    for queue in rung:
        services.doorbell.ring(queue)
        services.metrics.re_rings.labels(queue).inc()
    return rung


def _find_due_queues(services: Services) -> list[str]:
    """The queues whose work waits although nobody may be on it."""
    run, due = services.database.transaction, []
    if run(due_work.has_due_scheduled_send) or run(
        due_work.has_overdue_work, grace=services.settings.sweep_grace
    ):
        due.append(SENDS)
    if run(lane_work.has_due_work):
        due.append(BROADCASTS)
    return due


def _update_what_is_held(services: Services) -> bool:
    """End pauses whose time is over, put aside what held apps have sent, and take back what may go on.

    True if something may go on that was held before.
    """
    run = services.database.transaction
    ended = run(pauses.end_expired)
    for one in ended:
        _log.info("The pause of the %s %s has ended by itself.", one.kind, one.target)
    freed = run(held_apps.update_held_apps)
    _move_in_slices(services, held_sends.hold)
    released = _move_in_slices(services, held_sends.release)
    if released:
        run(held_apps.update_held_apps)
    return bool(ended or freed or released)


def _move_in_slices(services: Services, move: Callable[..., int]) -> bool:
    """Call `move` until it finds nothing or this sweep has done enough; True if it moved anything."""
    has_moved = False
    for _ in range(HELD_SLICES):
        if not services.database.transaction(move, limit=HELD_SLICE):
            break
        has_moved = True
    return has_moved


def _finish_broadcasts(services: Services) -> None:
    """Close or discard what a process that died, or two lanes that finished at once, left open."""
    run = services.database.transaction
    for broadcast_id in run(cancellation.list_undiscarded):
        run(cancellation.discard_waiting, broadcast_id)
    for broadcast_id in run(expansion.list_expanding):
        run(expansion.close_if_done, broadcast_id)
    for broadcast_id in run(recalls.list_recalling):
        run(recalls.close_if_recalled, broadcast_id)


def _show_chunks(services: Services) -> None:
    """Set the gauge of the chunks of running broadcasts, by state."""
    counts = services.database.transaction(lane_work.count_chunks)
    for state in ChunkState:
        services.metrics.chunks.labels(state.value).set(counts.get(state, 0))


def _tend_bus(services: Services) -> None:
    """Have the bus trimmed, also when nobody publishes, and set the gauge of what it keeps."""
    try:
        services.metrics.bus_length.set(services.bus.trim().entries)
    except TransientError as error:
        _log.warning("The bus is not trimmed, for now: %s", error.detail)


def _measure_queues(services: Services) -> dict[str, int]:
    """How many rings lie in each queue, also set as a gauge; empty if the broker cannot say."""
    try:
        lengths = services.doorbell.queue_lengths()
    except Exception as error:  # noqa: BLE001 (kombu passes on the driver's errors, of many kinds)
        _log.warning("The queues cannot be asked for their length: %s", type(error).__name__)
        return {}
    for queue, length in lengths.items():
        services.metrics.queue_length.labels(queue).set(length)
    return lengths
