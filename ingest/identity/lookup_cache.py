"""A cache of look-ups: values are kept for a moment, and what is missing is looked up together.

Used by `lookups`. Knows nothing of people, apps or SQL. Requests look up every caller, so a query for each
would be far too many.
"""

import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeAlias, TypeVar

from ingest.micro_batcher import MicroBatcher
from ingest.settings import IngestSettings
from storage.model.errors import CarillonError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
# Finds many keys at once, key for key: a value, None if there is no such thing, or the error of that key.
LookUp: TypeAlias = Callable[[Sequence[Key]], Awaitable[Sequence[Value | CarillonError | None]]]

# How many keys are looked up together; one query, by primary key.
BATCH_SIZE = 1000
# How many keys are kept as absent; more, and all of them are forgotten.
_ABSENT_SIZE = 20_000


class LookupCache(Generic[Key, Value]):
    """Values of one kind. Only a value that lets a request pass is kept.

    A person who has just been made or enabled is therefore found at once. No value is older than
    `lookup_lifetime`. Values that are asked for again are looked up anew before they are that old, all of them
    together, so that a busy process hardly ever looks up for one request.
    """

    def __init__(
        self,
        look_up: LookUp[Key, Value],
        *,
        settings: IngestSettings,
        lets_pass: Callable[[Value], bool],
        absent_seconds: float = 0.0,
        stranger_cap: int | None = None,
        look_up_strangers: LookUp[Key, Value] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`absent_seconds`: for how long a key without a value is kept as absent; 0.0 is not at all.

        `stranger_cap`: how many keys that were never found may wait to be looked up. They wait apart from the
        others, and are looked up by `look_up_strangers` if it is given. None: all keys wait together.
        `clock` gives seconds that never go back.
        """
        self._look_up = look_up
        self._lets_pass = lets_pass
        self._clock = clock
        self._lifetime_seconds = settings.lookup_lifetime.total_seconds()
        self._size = settings.lookup_size
        # A value and when it ends. Not a cachetools.TTLCache: that costs every request far more.
        self._kept: dict[Key, tuple[Value, float]] = {}
        self._used_again: set[Key] = set()
        self._absent_seconds = absent_seconds
        self._absent_until: dict[Key, float] = {}
        patience = settings.lookup_patience
        self._batcher: MicroBatcher[Key, Value | None] = MicroBatcher(
            look_up, size=BATCH_SIZE, patience=patience
        )
        self._stranger_batcher = (
            self._batcher
            if stranger_cap is None
            else MicroBatcher(
                look_up_strangers or look_up,
                size=BATCH_SIZE,
                patience=patience,
                waiting_cap=stranger_cap,
            )
        )

    async def find(self, key: Key) -> Value | None:
        """The value of `key`; None if there is no such thing. Raises TransientError."""
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None and kept[1] > now:
            self._used_again.add(key)
            return kept[0]
        if self._absent_until.get(key, 0.0) > now:
            return None
        return await self.find_now(key)

    async def find_now(self, key: Key) -> Value | None:
        """The value of `key` as it is now, whatever is kept; None if there is no such thing.

        Raises TransientError.
        """
        began = self._clock()
        batcher = self._batcher if key in self._kept else self._stranger_batcher
        value = await batcher.submit(key)
        self._keep(key, value, since=began)
        return value

    async def refresh(self) -> None:
        """Look up anew what was asked for again since the last refresh. Raises TransientError."""
        keys, self._used_again = list(self._used_again), set()
        for start in range(0, len(keys), BATCH_SIZE):
            part = keys[start : start + BATCH_SIZE]
            began = self._clock()
            for key, value in zip(part, await self._look_up(part), strict=True):
                # A key that failed is not kept longer: the requests that need it will get its error.
                if not isinstance(value, CarillonError):
                    self._keep(key, value, since=began)

    def _keep(self, key: Key, value: Value | None, *, since: float) -> None:
        if value is None and self._absent_seconds:
            if len(self._absent_until) >= _ABSENT_SIZE:
                self._absent_until.clear()
            self._absent_until[key] = since + self._absent_seconds
        if value is None or not self._lets_pass(value):
            self._kept.pop(key, None)
            return
        if len(self._kept) >= self._size:
            self._kept.clear()
        self._kept[key] = value, since + self._lifetime_seconds
