"""The one oracle: a client's ledger and its sockets' logs against the record (fault matrix A to E)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from tests.counters import find_drift
from tests.faults.ledger import Ledger
from tests.faults.sockets import Log, Sockets


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, as counts; all zero is a pass.

    lost (A): accepted, and not in `messages` or not in the history of both its people. doubled (B):
    sends that became several messages. drifted (C): unread counters that a recount denies. unseen,
    twice, disordered (D): in a history and not seen or fetched; twice on one socket; seen in the
    other order than they were sent. misnamed (E): answered with another id than the message's.
    refused: sends that were answered neither 2xx nor 503.
    """

    accepted: int
    lost: int = 0
    doubled: int = 0
    drifted: int = 0
    unseen: int = 0
    twice: int = 0
    disordered: int = 0
    misnamed: int = 0
    refused: int = 0

    @property
    def failures(self) -> list[str]:
        """The counts that should be zero and are not."""
        wrong = {name: n for name, n in asdict(self).items() if n and name != "accepted"}
        return [f"{n} {name}" for name, n in wrong.items()]


_MESSAGES = text("""
SELECT id, content FROM messages
 WHERE sender_id = ANY(CAST(:people AS bigint[])) AND content LIKE :run || ':%'
""")
_COPIES = text("""
SELECT user_id, peer_id, message_id FROM deliveries
 WHERE user_id = ANY(CAST(:people AS bigint[])) AND message_id = ANY(CAST(:ids AS bigint[]))
""")
_WAITING = text("""
SELECT (SELECT count(*) FROM accepted WHERE sender_id = ANY(CAST(:people AS bigint[])))
     + (SELECT count(*) FROM unpublished WHERE error IS NULL)
""")


def count_waiting(connection: Connection, people: Sequence[int]) -> int:
    """How many sends of `people` are not in the histories, or not published, yet."""
    return int(connection.execute(_WAITING, {"people": list(people)}).scalar_one())


def judge(
    connection: Connection, ledger: Ledger, *, people: Sequence[int], sockets: Sockets | None = None
) -> Verdict:
    """Hold everything against the record, as it is now."""
    found: dict[str, list[int]] = {}
    for row in connection.execute(_MESSAGES, {"people": list(people), "run": ledger.run}):
        found.setdefault(row.content, []).append(row.id)
    ids = [id for several in found.values() for id in several]
    rows = connection.execute(_COPIES, {"people": list(people), "ids": ids}).all()
    copies = {(row.user_id, row.peer_id, row.message_id) for row in rows}
    seen = _judge_sockets(ledger, sockets, copies) if sockets else {}
    return Verdict(
        accepted=ledger.accepted,
        lost=_count_lost(ledger, found, copies),
        doubled=sum(len(several) > 1 for several in found.values()),
        drifted=len(find_drift(connection)),
        misnamed=_count_misnamed(ledger, found),
        refused=sum(sent.status not in {0, 503} and not sent.is_accepted for sent in ledger.sent),
        **seen,
    )


def _count_lost(
    ledger: Ledger, found: dict[str, list[int]], copies: set[tuple[int, int, int]]
) -> int:
    lost = 0
    for sent in ledger.sent:
        pair = (sent.sender_id, sent.receiver_id)
        there = [
            id
            for id in found.get(ledger.content(sent.number), ())
            if {(*pair, id), (*reversed(pair), id)} <= copies
        ]
        lost += sent.is_accepted and not there
    return lost


def _count_misnamed(ledger: Ledger, found: dict[str, list[int]]) -> int:
    return sum(
        not set(sent.ids) <= set(found.get(ledger.content(sent.number), sent.ids[:1]))
        for sent in ledger.sent
    )


def _judge_sockets(
    ledger: Ledger, sockets: Sockets, copies: set[tuple[int, int, int]]
) -> dict[str, int]:
    times = {id: sent for sent in ledger.sent for id in sent.ids}
    return {
        "unseen": sum(len(_select_history(log, copies) - log.known) for log in sockets.logs),
        "twice": sum(_count_repeats(ids) for log in sockets.logs for ids in log.sockets),
        "disordered": sum(
            _count_disordered((times[id].began_at, times[id].ended_at) for id in ids if id in times)
            for log in sockets.logs
            for ids in log.sockets
        ),
    }


def _select_history(log: Log, copies: set[tuple[int, int, int]]) -> set[int]:
    return {id for user_id, _, id in copies if user_id == log.user_id}


def _count_repeats(ids: Iterable[int]) -> int:
    return sum(count - 1 for count in Counter(ids).values())


def _count_disordered(times: Iterable[tuple[float, float]]) -> int:
    """How many were answered before one that came earlier here had begun (contract §2, Order)."""
    wrong, latest = 0, 0.0
    for began_at, ended_at in times:
        wrong += ended_at < latest
        latest = max(latest, began_at)
    return wrong
