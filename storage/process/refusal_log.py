"""Why callers were not signed in: for the operator's log, never for the caller (contract §1, Refusals).

Both HTTP edges write it. Anybody can cause refusals, as many as they like, so only so many lines are written.
"""

import logging
import time
from collections.abc import Callable

from storage.model.errors import NotSignedIn

LINES_PER_SECOND = 10.0
BURST = 100.0
# A caller may have written part of it.
LONGEST = 300

_log = logging.getLogger(__name__)


class RefusalLog:
    """Writes a line for each refusal, as long as they are few; of a flood it says how many lines were left out.

    `clock` gives seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._room = BURST
        self._at = clock()
        self._left_out = 0

    def log(self, error: NotSignedIn, *, request_id: str | None = None) -> None:
        """Say why a request was answered 401. `request_id`: None takes that of the request that is being answered."""
        now = self._clock()
        self._room = min(BURST, self._room + (now - self._at) * LINES_PER_SECOND)
        self._at = now
        if self._room < 1:
            self._left_out += 1
            return
        self._room -= 1
        extra = {} if request_id is None else {"request_id": request_id}
        if self._left_out:
            _log.info("%d refusals before this one have no line.", self._left_out, extra=extra)
            self._left_out = 0
        _log.info(
            "401 %s: %s", error.code.name, " ".join(error.reason[:LONGEST].split()), extra=extra
        )


REFUSALS = RefusalLog()
