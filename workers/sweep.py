"""The sweep: every second, ring for what is due and was not rung, or whose ring was lost.

The guarantee behind "a ring may be lost" (docs/decisions/0002-the-queue-is-a-doorbell.md). Harmless if several
run, or none for a while.
"""

import logging

from storage.broker import BROADCASTS, SENDS
from storage.model.broadcast import ChunkState
from storage.model.errors import TransientError
from storage.postgres import turns
from storage.postgres.broadcasts import cancellation, expansion, lane_work, recalls
from storage.postgres.sends import due_work, held_sends
from workers import disabled_users
from workers.services import Services

_log = logging.getLogger(__name__)

# Held sends moved in one transaction, and in one sweep at most: it must not be late for others.
_SLICE, _SLICES = 2_000, 5


def sweep_on_time(services: Services) -> list[str]:
    """The sweep that beat asks for: as `sweep`, and notes that it is not late."""
    services.database.transaction(turns.note, turns.SWEEP)
    return sweep(services)


def sweep(services: Services) -> list[str]:
    """Ring each queue that has overdue work, or scheduled sends that became due, and no ring.

    Returns the queues rung. A ring carries no ids, so one ring serves any number of rows; a queue
    that still holds rings gets no more of them.
    """
    run = services.database.transaction
    disabled_users.reconcile(services)
    _hold(services)
    overdue = run(due_work.has_due_scheduled_send) or run(
        due_work.has_overdue_work, grace=services.settings.sweep_grace
    )
    _finish_broadcasts(services)
    is_due = run(lane_work.has_due_work)
    due = [queue for queue, is_it in ((SENDS, overdue), (BROADCASTS, is_due)) if is_it]
    lengths = _look(services)
    # A broker that cannot say gets the ring.
    rung = [queue for queue in due if not lengths.get(queue)]
    for queue in rung:
        services.doorbell.ring(queue)
        services.telemetry.re_rings.labels(queue).inc()
    return rung


def _hold(services: Services) -> None:
    """What disabled apps have scheduled waits aside; of apps that are enabled again it goes on."""
    run = services.database.transaction
    for move in (held_sends.hold, held_sends.release):
        for _ in range(_SLICES):
            if run(move, limit=_SLICE) < _SLICE:
                break


def _look(services: Services) -> dict[str, int]:
    """How many rings lie in each queue; shows it, and what else an operator watches."""
    telemetry = services.telemetry
    states = services.database.transaction(lane_work.count_chunks)
    for state in ChunkState:
        telemetry.chunks.labels(state.value).set(states.get(state, 0))
    _tend_bus(services)
    lengths = _lengths(services)
    for queue, length in lengths.items():
        telemetry.queue_length.labels(queue).set(length)
    return lengths


def _tend_bus(services: Services) -> None:
    """Have the bus trimmed, also when nobody publishes; shows what it keeps."""
    try:
        services.telemetry.bus_length.set(services.bus.tend().entries)
    except TransientError as error:
        _log.warning("The bus is not tended, for now: %s", error.detail)


def _finish_broadcasts(services: Services) -> None:
    """Do what a process that died, or two lanes that were done at once, left undone."""
    run = services.database.transaction
    for broadcast_id in run(cancellation.list_undiscarded):
        run(cancellation.discard_waiting, broadcast_id)
    for broadcast_id in run(expansion.list_expanding):
        run(expansion.close_if_done, broadcast_id)
    for broadcast_id in run(recalls.list_recalling):
        run(recalls.close_if_recalled, broadcast_id)


def _lengths(services: Services) -> dict[str, int]:
    """How many rings lie in each queue; none if the broker cannot say."""
    try:
        return services.doorbell.lengths()
    except Exception as error:  # noqa: BLE001 (kombu passes on the driver's errors, of many kinds)
        _log.warning("The queues cannot be asked for their length: %s", type(error).__name__)
        return {}
