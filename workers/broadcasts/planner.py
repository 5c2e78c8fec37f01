"""Planning: the audience of a broadcast becomes chunks, slice by slice. A part of a broadcast lane."""

import logging

from storage.broker.queues import BROADCASTS
from storage.model.errors import TransientError, describe_error
from storage.postgres.broadcasts import failures, planning
from storage.postgres.broadcasts.planning import PendingBroadcast, PlanLimits, PlannedSlice
from workers.services import Services

_log = logging.getLogger(__name__)


class Planner:
    """Plans slice after slice, one of each app in turn."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._database = services.database
        self._slicing = PlanLimits(settings.chunk_size, max_attempts=settings.max_attempts)
        self._last_app_id = 0

    def plan_slice(self) -> bool:
        """Plan a slice of the next app's oldest broadcast; False: there is nothing to plan.

        A broadcast that cannot be planned, for whatever reason, rests, alone. Raises TransientError if PostgreSQL is
        away or too slow; then the broadcast that was next rests too, so that the next lane begins with another.
        """
        after = self._last_app_id
        try:
            planned = self._database.transaction(
                planning.plan_next, self._slicing, after_app_id=after
            )
        except TransientError as error:
            self._let_next_rest(error)
            raise
        except Exception as error:  # noqa: BLE001 (one broadcast must not stop the others)
            return self._plan_alone(error)
        self._last_app_id = 0 if planned is None else planned.app_id
        if planned is None:
            # The last app has had its turn: the first is next.
            return after != 0 and self.plan_slice()
        self._wake_lanes(planned)
        return True

    def _wake_lanes(self, planned: PlannedSlice) -> None:
        """Ring once a plan is complete: there are chunks enough for every lane."""
        if planned.is_complete:
            self._services.doorbell.ring(BROADCASTS)

    def _find_next(self) -> PendingBroadcast | None:
        after = self._last_app_id
        return self._database.transaction(
            planning.find_next_pending, self._slicing, after_app_id=after
        )

    def _let_next_rest(self, error: TransientError) -> None:
        """Let the broadcast that took PostgreSQL too long rest, so that the next lane does not try it first.

        If PostgreSQL is away, this raises TransientError too, and nothing is noted.
        """
        pending = self._find_next()
        if pending is not None:
            self._record_failure(pending, error)

    def _plan_alone(self, error: Exception) -> bool:
        """Plan the broadcast that was next, and it alone; only if that fails too, the failure is this broadcast's."""
        pending = self._find_next()
        if pending is None:
            _log.error("Planning failed, and nothing is left to plan: %s", describe_error(error))
            return False
        self._last_app_id = pending.app_id
        try:
            planned = self._database.transaction(
                planning.plan_broadcast, pending.broadcast_id, self._slicing
            )
        except TransientError:
            raise
        except Exception as again:  # noqa: BLE001 (one broadcast must not stop the others)
            self._record_failure(pending, again)
        else:
            if planned is not None:
                self._wake_lanes(planned)
        return True

    def _record_failure(self, pending: PendingBroadcast, error: Exception) -> None:
        """Let a broadcast that could not be planned rest, for longer each time."""
        _log.error(
            "Broadcast %d cannot be planned: %s", pending.broadcast_id, describe_error(error)
        )
        self._database.transaction(
            failures.record_plan_failure, pending.broadcast_id, error=describe_error(error)
        )
