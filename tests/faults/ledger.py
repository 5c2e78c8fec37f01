"""What a client remembers of its own sends: the one thing that the oracle believes.

Written by one thread (`load.py`), read by others while it grows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

LOST = 0  # the "status" of an answer that never came


@dataclass(frozen=True, slots=True)
class Answer:
    """One attempt: what came back (LOST if nothing did), when it began and how long it took."""

    status: int
    began_at: float
    seconds: float
    has_retry_after: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One send with all its attempts under one key: the last status, and the ids that were answered."""

    number: int
    sender_id: int
    receiver_id: int
    key: str
    status: int
    ids: tuple[int, ...]
    attempts: int
    began_at: float
    ended_at: float

    @property
    def is_accepted(self) -> bool:
        """Whether a 2xx was seen: the promise of contract §2."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class Ledger:
    """Every send of one load, and every answer."""

    run: str
    sent: list[Sent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    accepted: int = 0

    def note(self, sent: Sent) -> None:
        """Write down a send that is over."""
        self.sent.append(sent)
        self.accepted += sent.is_accepted

    def content(self, number: int) -> str:
        """The body of send `number`: by it the oracle finds the message without trusting any id."""
        return f"{self.run}:{number}"

    def count_answers(self, status: int) -> int:
        """How many attempts were answered with `status`."""
        return sum(answer.status == status for answer in self.answers)

    def describe_refusals(self) -> str:
        """What the answers with 503 said and how often, the most frequent first; empty without any."""
        said = Counter(answer.detail for answer in self.answers if answer.status == 503)
        return ", ".join(f"{count}x {detail}" for detail, count in said.most_common())

    def p99_seconds(self, *, status: int | None = None) -> float:
        """The 99th percentile of the answers' time, of all or of one status; 0.0 without any."""
        return p99(a.seconds for a in self.answers if status is None or a.status == status)

    def worst_seconds(self, *, status: int) -> float:
        """The slowest answer of one status; 0.0 without any."""
        return max((a.seconds for a in self.answers if a.status == status), default=0.0)


def p99(values: Iterable[float]) -> float:
    """The 99th percentile, 0.0 of nothing."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))] if ranked else 0.0
