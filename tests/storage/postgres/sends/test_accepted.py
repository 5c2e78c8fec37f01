"""The intake: promises, keys, claims."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ops.local.embedded import EmbeddedPostgres
from ops.local.polling import wait_until
from storage.model.errors import Invalid
from storage.model.message import MAX_ID
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.database import make_blocking_engine
from storage.postgres.messages import persistence
from storage.postgres.schema import upgrade
from storage.postgres.sends import backlog, due_work, failed_sends, intake, persist_lane
from storage.postgres.sends.intake import IntakeItem
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import a_broadcast, a_notification, a_send, accept


def test_a_batch_is_answered_in_order_with_rising_ids_that_javascript_can_read(
    engine: Engine,
) -> None:
    """Ids rise in the order of the requests and stay below 2**53."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n) for n in range(1, 300)])
    assert ids == sorted(set(ids))
    assert 0 < ids[0] < ids[-1] <= MAX_ID
    with engine.begin() as connection:
        receivers = connection.execute(text("SELECT receiver_id FROM accepted ORDER BY id"))
        assert list(receivers.scalars()) == list(range(1, 300))


def test_the_same_key_and_body_is_one_send(engine: Engine) -> None:
    """A second use of a key gives the first answer again and writes nothing."""
    key = IdempotencyKey("user:1", "k", b"body")
    request = IntakeItem(a_notification(action_text="去"), key)
    with engine.begin() as connection:
        [first, again] = intake.accept(connection, [request, request])
    with engine.begin() as connection:
        [later] = intake.accept(connection, [IntakeItem(a_send(), key)])
    assert isinstance(first, Accepted) and isinstance(again, Accepted)
    assert isinstance(later, Accepted)
    assert not first.is_replay and again.is_replay and later.is_replay
    assert first.id == again.id == later.id
    assert first.created_at == later.created_at
    assert later.send == first.send
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 1


def test_a_key_with_another_body_is_refused_alone(engine: Engine) -> None:
    """The entry with the misused key is Invalid; the others in its batch stand."""
    key = IdempotencyKey("user:1", "k", b"body")
    other = IdempotencyKey("user:1", "k", b"another body")
    with engine.begin() as connection:
        first, refused, fine = intake.accept(
            connection,
            [IntakeItem(a_send(), key), IntakeItem(a_send(), other), IntakeItem(a_send())],
        )
    assert isinstance(first, Accepted) and isinstance(fine, Accepted)
    assert isinstance(refused, Invalid)


def test_fifty_at_once_with_one_key_are_one_row(engine: Engine) -> None:
    """Concurrent transactions with the same key all get the id of the one that won (fault row 3)."""
    key = IdempotencyKey("user:1", "k", b"body")

    def once(_: int) -> int:
        with engine.begin() as connection:
            return accept(connection, a_send(), key=key)[0]

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(once, range(50)))
    assert len(ids) == 1
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 1


def test_a_key_is_forgotten_after_a_day(engine: Engine) -> None:
    """A key older than 24 hours is free again, whether or not upkeep has been there."""
    key = IdempotencyKey("user:1", "k", b"body")
    with engine.begin() as connection:
        first = accept(connection, a_send(), key=key)
        connection.execute(
            text("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
        )
    with engine.begin() as connection:
        assert accept(connection, a_send(), key=key) != first


def test_two_callers_may_use_the_same_key(engine: Engine) -> None:
    """Keys are per caller."""
    with engine.begin() as connection:
        first = accept(connection, a_send(), key=IdempotencyKey("user:1", "k", b"body"))
        second = accept(connection, a_send(), key=IdempotencyKey("app:1", "k", b"body"))
    assert first != second


def test_a_scheduled_send_waits_for_its_time_and_is_ordered_by_it(engine: Engine) -> None:
    """It is not claimed before `send_at`; then by itself, in the order of the instants that ids tell."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    with engine.begin() as connection:
        [far] = accept(connection, a_send(send_at=soon + timedelta(days=40)))
        [next] = accept(connection, a_send(send_at=soon))
        [now] = accept(connection, a_send())
    with engine.begin() as connection:
        assert now < next < far
        assert persist_lane.claim(connection, 10).ids == [now]
        assert not due_work.has_due_scheduled_send(connection)
    assert wait_until(lambda: is_scheduled_due(engine), seconds=10)
    with engine.begin() as connection:
        [last] = accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids == [now, next, last]


def is_scheduled_due(engine: Engine) -> bool:
    """Whether a scheduled send is due."""
    with engine.begin() as connection:
        return due_work.has_due_scheduled_send(connection)


def test_what_becomes_due_is_late_and_is_no_reason_to_refuse_others(engine: Engine) -> None:
    """Thousands due at one instant count in the age of the oldest, not in what the cap is held against."""
    due = datetime.now(UTC) + timedelta(seconds=1)
    with engine.begin() as connection:
        accept(connection, *[a_send(send_at=due)] * 500)
        accept(connection, a_send(send_at=due + timedelta(days=1)))
        assert backlog.measure_backlog(connection).scheduled_due == 0
    assert wait_until(lambda: is_scheduled_due(engine), seconds=10)
    with engine.begin() as connection:
        seen = backlog.measure_backlog(connection)
        assert (seen.waiting, seen.scheduled_due) == (0, 500)
        assert seen.oldest_seconds > 0
        assert due_work.has_overdue_work(connection, grace=timedelta(0))
        assert not due_work.has_overdue_work(connection, grace=timedelta(minutes=1))


def test_a_million_scheduled_for_later_cost_the_lane_nothing(engine: Engine) -> None:
    """Looking for what is due, it stops where later instants begin, and reads none of their rows."""
    later = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        for _ in range(4):
            accept(connection, *[a_send(send_at=later)] * 500)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE accepted"))
    with engine.begin() as connection:
        assert persist_lane.claim(connection, 500).ids == []
        assert not due_work.has_claimable_work(connection, outbox=True)
        read = text(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname = 'accepted'"
        )
        assert connection.execute(read).scalar_one() < 10


def test_many_scheduled_for_one_instant_have_ids_of_their_own(engine: Engine) -> None:
    """10,000 sends due at the same millisecond do not collide."""
    due = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        ids: list[int] = []
        for _ in range(20):
            ids += accept(connection, *[a_send(send_at=due)] * 500)
    assert len(set(ids)) == 10_000


def claim_sizes(engine: Engine, attempts: Sequence[int], *, limit: int) -> list[int]:
    """How large the successive claims are over rows with these attempts, each batch persisted."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n + 10) for n in range(len(attempts))])
        for id, count in zip(ids, attempts, strict=True):
            connection.execute(
                text("UPDATE accepted SET attempts = :n WHERE id = :id"), {"n": count, "id": id}
            )
    sizes: list[int] = []
    while True:
        with engine.begin() as connection:
            batch = persist_lane.claim(connection, limit).ids
            if not batch:
                return sizes
            persistence.persist(connection, batch)
            sizes.append(len(batch))


@pytest.mark.parametrize(
    ("attempts", "limit", "sizes"),
    [
        ([0] * 10, 4, [4, 4, 2]),
        ([1] * 20, 64, [8, 8, 4]),
        ([0, 0, 3, 0, 0], 512, [2, 1, 2]),
        ([4, 4, 4], 500, [1, 1, 1]),
    ],
)
def test_rows_that_failed_come_in_ever_smaller_batches(
    engine: Engine, attempts: list[int], limit: int, sizes: list[int]
) -> None:
    """A batch shrinks eightfold an attempt and ends before a row that failed more often."""
    assert claim_sizes(engine, attempts, limit=limit) == sizes


def die_with(engine: Engine, *, expect: list[int], limit: int = 10) -> list[int]:
    """A holder claims, which must be `expect`, and dies; the ids that its successor buries."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = clock_timestamp()"))
        assert persist_lane.claim(connection, limit).ids == expect
        return persist_lane.recover_claim(connection, holder_died=True, max_attempts=5)


def another_goes_through(engine: Engine) -> None:
    """A send of somebody else is persisted, and the claim of it is done."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = ring_at + interval '1 h'"))
        ids = accept(connection, a_send(receiver_id=9))
        assert persist_lane.claim(connection, 10).ids == ids
        persistence.persist(connection, ids)
        persist_lane.end_claim(connection)


def attempts_of(engine: Engine) -> list[int]:
    """The attempts of everything that waits, in order."""
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT attempts FROM accepted ORDER BY id"))
        return [row.attempts for row in rows]


def test_what_kills_its_workers_alone_while_others_go_through_is_at_last_buried(
    engine: Engine,
) -> None:
    """Alone in hand, again and again, with others persisted in between: the fifth time moves it."""
    with engine.begin() as connection:
        [poison] = accept(connection, a_send())
    for attempt in range(1, 6):
        dead = die_with(engine, expect=[poison])
        assert dead == ([poison] if attempt == 5 else [])
        if attempt < 5:
            assert attempts_of(engine) == [attempt]
        another_goes_through(engine)
    with engine.begin() as connection:
        letter = failed_sends.find_failed(connection, poison)
    assert letter is not None
    assert letter.attempts == 5 and letter.payload["content"] == "你好"


def test_nothing_is_buried_for_having_waited(engine: Engine) -> None:
    """While PostgreSQL lets nothing through, deaths of workers say nothing against what they had in hand."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n) for n in range(2, 32)])
    assert die_with(engine, expect=ids, limit=30) == []
    # Thirty, then smaller and smaller batches, down to one; never more than one attempt.
    for _ in range(12):
        with engine.begin() as connection:
            connection.execute(text("UPDATE accepted SET ring_at = clock_timestamp()"))
            assert persist_lane.claim(connection, 30).ids[0] == ids[0]
            assert persist_lane.recover_claim(connection, holder_died=True, max_attempts=5) == []
    assert max(attempts_of(engine)) <= 1
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = clock_timestamp()"))
        assert persist_lane.claim(connection, 30).ids == ids[:1]


def test_what_postgresql_cannot_finish_gives_way_to_others(engine: Engine) -> None:
    """A send whose conversation somebody locks, or that takes too long, ends up alone, rests, and counts nothing."""
    with engine.begin() as connection:
        slow, *others = accept(connection, *[a_send(receiver_id=n) for n in range(2, 12)])
    got_through: list[int] = []
    for _ in range(40):
        with engine.begin() as connection:
            batch = persist_lane.claim(connection, 10).ids
            if slow in batch:
                assert (
                    persist_lane.recover_claim(connection, holder_died=False, max_attempts=5) == []
                )
            elif batch:
                got_through += batch
                persistence.persist(connection, batch)
                persist_lane.end_claim(connection)
    assert got_through == others
    assert attempts_of(engine) == [0]
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = clock_timestamp()"))
        assert persist_lane.claim(connection, 10).ids == [slow]


@contextmanager
def session(engine: Engine) -> Iterator[Connection]:
    """A connection as the lane's holder has it: every statement is a transaction of its own."""
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def left_in_hand(engine: Engine, *, by: str, found_by: str) -> persist_lane.LaneState:
    """What the second finds after the first claimed something and went without a word."""
    with session(engine) as connection:
        assert persist_lane.take_lane(connection, by) is not None
        accept(connection, a_send())
        assert persist_lane.claim(connection, 10).ids
        persist_lane.leave_lane(connection)
        found = persist_lane.take_lane(connection, found_by)
        persist_lane.leave_lane(connection)
    assert found is not None and found.is_abandoned
    return found


def test_only_a_worker_that_died_counts_as_an_attempt(engine: Engine) -> None:
    """Out of room, PostgreSQL keeps a living worker from finishing again and again (row 16)."""
    assert left_in_hand(engine, by="one", found_by="another").holder_died
    found = left_in_hand(engine, by="one", found_by="one")
    assert not found.holder_died
    with engine.begin() as connection:
        for _ in range(6):
            assert persist_lane.recover_claim(connection, holder_died=False, max_attempts=5) == []
        attempts = connection.execute(text("SELECT max(attempts) FROM accepted")).scalar()
    assert attempts == 0


def test_a_crash_of_postgresql_says_nothing_against_the_worker() -> None:
    """A backend is killed, so all of PostgreSQL recovers: whoever comes next counts no attempt."""
    with durable_postgres() as settings:
        upgrade(settings)
        engine = make_blocking_engine(settings, application_name="tests")
        with session(engine) as connection:
            assert persist_lane.take_lane(connection, "one") is not None
            accept(connection, a_send())
            assert persist_lane.claim(connection, 10).ids
            accept(connection, a_send())  # its commit makes the claim durable as well
            os.kill(
                connection.execute(text("SELECT pg_backend_pid()")).scalar_one(), signal.SIGKILL
            )
        assert wait_until(lambda: is_recovered(engine), seconds=30)
        with session(engine) as connection:
            found = persist_lane.take_lane(connection, "another")
        engine.dispose()
    assert found is not None
    assert found.is_abandoned and not found.holder_died


@contextmanager
def durable_postgres() -> Iterator[DatabaseSettings]:
    """A PostgreSQL that keeps what it promised, which those of other tests do not."""
    with services.folder() as path:
        server = EmbeddedPostgres(path / "postgres")
        server.start()
        try:
            yield load(DatabaseSettings, {"CARILLON_DATABASE_URL": server.url})
        finally:
            server.kill()


def is_recovered(engine: Engine) -> bool:
    """Whether PostgreSQL answers again, and has forgotten what is unlogged."""
    try:
        with session(engine) as connection:
            rows = connection.execute(text("SELECT count(*) FROM persist_holder")).scalar_one()
            return bool(rows == 0)
    except DBAPIError:
        return False


def test_a_replayed_dead_letter_is_the_same_send_again(engine: Engine) -> None:
    """Replay puts the row back with its old id and content; dropping what is gone does nothing."""
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast(audience=(5, 6), unresolved=("x",)))
        before = connection.execute(text("SELECT * FROM accepted")).one()
        failed_sends.move_to_failed(connection, [id])
        assert backlog.measure_backlog(connection).failed == 1
        assert failed_sends.replay(connection, [id, 1]) == {id: id}
        after = connection.execute(text("SELECT * FROM accepted")).one()
        assert failed_sends.drop(connection, [id]) == []
        assert persist_lane.claim(connection, 10).ids == [id]
    same = set(before._fields) - {"ring_at"}
    assert {k: getattr(before, k) for k in same} == {k: getattr(after, k) for k in same}


def test_only_one_session_holds_the_lane(engine: Engine) -> None:
    """A second session is turned away until the first leaves or ends."""
    with session(engine) as first, session(engine) as second:
        assert persist_lane.take_lane(first, "one") is not None
        assert persist_lane.take_lane(second, "another") is None
        persist_lane.leave_lane(first)
        assert persist_lane.take_lane(second, "another") is not None
        persist_lane.leave_lane(second)


def test_whether_something_is_due_is_asked_without_reading_what_is_gone(engine: Engine) -> None:
    """A long backlog leaves as many dead rows: a scan of the table would walk through them each time."""
    with engine.begin() as connection:
        accept(connection, *[a_send()] * 2_000)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE accepted"))
    with engine.begin() as connection:
        assert due_work.has_claimable_work(connection, outbox=True)
        assert due_work.has_due_work(connection)
        assert due_work.has_overdue_work(connection, grace=timedelta(0))
        scans = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'accepted'")
        assert connection.execute(scans).scalar_one() == 0
