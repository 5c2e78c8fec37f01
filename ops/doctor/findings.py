"""What checks take and give: the site that is examined, and findings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

# Signatures of apps are good for minutes (contract §1); people's tokens for exactly their time.
SKEW_WARNING_SECONDS, SKEW_FAILURE_SECONDS = 2.0, 60.0


class Level(StrEnum):
    """How bad a finding is: all is well, somebody should look, or something does not work."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found out about the part `name`; `mend` says what to do, and is empty if all is well."""

    name: str
    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """The deployment that is examined: its settings, its gateway (None: unknown), and this machine's clock."""

    variables: Mapping[str, str]
    gateway_url: str | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


# A check may raise, and may hang: `examine` makes findings of both.
Check = Callable[[Site], Iterator[Finding]]


def compare_clocks(site: Site, whose: str, now: datetime) -> Finding:
    """Whether the clock of a server, which said `now` a moment ago, goes as this machine's does."""
    seconds = abs((now - site.clock()).total_seconds())
    text = f"{whose}'s clock and this machine's differ by {seconds:.1f} s."
    if seconds < SKEW_WARNING_SECONDS:
        return Finding("clock", Level.OK, text)
    level = Level.WARN if seconds < SKEW_FAILURE_SECONDS else Level.FAIL
    return Finding("clock", level, text, "Synchronize both by NTP (chrony, systemd-timesyncd).")
