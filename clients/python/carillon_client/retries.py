"""When a request is tried again, and after which pause."""

import random
from dataclasses import dataclass

from carillon_client.errors import CarillonError, TemporaryError


@dataclass(frozen=True, slots=True)
class Retries:
    """How a request is repeated after 408, 429, 5xx or no answer.

    `tries`: how often it is sent in all; 1: never again. The pauses have full jitter: a random time up to `first_pause`
    seconds, then up to twice that, and so on up to `longest_pause`. A `Retry-After` comes on top. One that is longer than
    `longest_wait` seconds is not waited for: the error comes at once, with `retry_after`.
    """

    tries: int = 5
    first_pause: float = 0.5
    longest_pause: float = 15.0
    longest_wait: float = 60.0

    def choose_pause(self, error: CarillonError, *, tried: int) -> float | None:
        """Seconds to wait before the next try, after `tried` tries; None: there is none."""
        if tried >= self.tries or not isinstance(error, TemporaryError):
            return None
        asked = error.retry_after or 0.0
        return None if asked > self.longest_wait else asked + self.choose_jitter(tried)

    def choose_jitter(self, tried: int) -> float:
        """A random pause in seconds after `tried` tries (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)."""
        doubled = self.first_pause * 2.0 ** min(tried - 1, 30)
        return random.uniform(0.0, min(self.longest_pause, doubled))  # noqa: S311 (no secret)


USUAL = Retries()
NEVER_AGAIN = Retries(tries=1)
