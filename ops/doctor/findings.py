"""What checks take and give: the site that is examined, findings, and what keeps a check from its work."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is: all is well, somebody should look, or something does not work."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found out about the part `name`; `mend` says what to do, and is empty if all is well.

    `because` names other findings: if one of them fails, this one only repeats it, and is told with it. `follows` are the
    findings that are told with this one so; `not_examined` the checks that could not be made for its sake.
    """

    name: str
    level: Level
    text: str
    mend: str = ""
    because: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    not_examined: tuple[str, ...] = ()


class Blocked(Exception):
    """A check cannot do its work. `text` says why, `mend` what to do about it; `because` as in Finding."""

    def __init__(self, text: str, mend: str, *, because: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.mend = mend
        self.because = because


@dataclass(frozen=True, slots=True)
class Site:
    """The deployment that is examined: its settings, its gateway (None: unknown), and this machine's clock."""

    variables: Mapping[str, str]
    gateway_url: str | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


# A check may raise, and may hang: `examine` makes findings of both.
Check = Callable[[Site], Iterator[Finding]]
