"""A broadcast lane's planning: whose broadcast is next, and what becomes of a plan that fails."""

import logging

from storage.broker import BROADCASTS
from storage.model.errors import TransientError, reason
from storage.postgres.broadcasts import failures, plans
from storage.postgres.broadcasts.plans import Pending, Planned, Slicing
from workers.process import Process

_log = logging.getLogger(__name__)


class Planner:
    """Plans slice after slice, apps in turn."""

    def __init__(self, process: Process) -> None:
        settings = process.settings
        self._process = process
        self._database = process.database
        self._slicing = Slicing(settings.chunk_size, max_attempts=settings.max_attempts)
        self._app = 0

    def step(self) -> bool:
        """Plan a slice of the next app's oldest broadcast; False: there is nothing to plan.

        What cannot be planned, for whatever reason, is set aside alone: it rests, and others go on.
        """
        after = self._app
        try:
            planned = self._database.transaction(plans.plan, self._slicing, after_app_id=after)
        except TransientError as error:
            self._let_rest(error)
            raise
        except Exception as error:  # noqa: BLE001 (one broadcast must not stop the others)
            return self._find_culprit(error)
        self._app = 0 if planned is None else planned.app_id
        if planned is None:
            # The last app has had its turn: the first is next.
            return after != 0 and self.step()
        self._wake_lanes(planned)
        return True

    def _wake_lanes(self, planned: Planned) -> None:
        if planned.is_complete:  # there is enough for all
            self._process.doorbell.ring(BROADCASTS)

    def _let_rest(self, error: TransientError) -> None:
        """What PostgreSQL took too long for must not be the first that the next lane tries.

        If PostgreSQL is away, this raises TransientError too, and nothing is noted.
        """
        found = self._suspect()
        if found is not None:
            self._set_aside(found, error)

    def _find_culprit(self, error: Exception) -> bool:
        """Plan alone the broadcast that was next; if that fails too, it was this one."""
        found = self._suspect()
        if found is None:
            _log.error("Planning failed, and nothing is left to plan: %s", reason(error))
            return False
        self._app = found.app_id
        try:
            planned = self._database.transaction(plans.plan_one, found.broadcast_id, self._slicing)
        except TransientError:
            raise
        except Exception as again:  # noqa: BLE001 (as above)
            self._set_aside(found, again)
        else:
            if planned is not None:
                self._wake_lanes(planned)
        return True

    def _suspect(self) -> Pending | None:
        return self._database.transaction(plans.suspect, self._slicing, after_app_id=self._app)

    def _set_aside(self, found: Pending, error: Exception) -> None:
        _log.error("Broadcast %d cannot be planned: %s", found.broadcast_id, reason(error))
        self._database.transaction(failures.count_plan, found.broadcast_id, error=reason(error))
