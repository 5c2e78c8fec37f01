"""The persist lane: one holder, claims that shrink, and what makes a send a dead letter."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.polling import wait_until
from storage.postgres.database import make_blocking_engine
from storage.postgres.messages import persistence
from storage.postgres.schema import upgrade
from storage.postgres.sends import failed_sends, persist_lane
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import a_send, accept


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
    """A batch is eight times smaller for each attempt, and ends before a row that failed more often."""
    assert claim_sizes(engine, attempts, limit=limit) == sizes


def die_with(engine: Engine, *, expect: list[int], limit: int = 10) -> list[int]:
    """A holder claims `expect` and dies; returns the ids that its successor makes dead letters."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = clock_timestamp()"))
        assert persist_lane.claim(connection, limit).ids == expect
        return persist_lane.recover_claim(connection, holder_died=True, max_attempts=5)


def another_goes_through(engine: Engine) -> None:
    """Another send is persisted, and its claim ends."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE accepted SET ring_at = ring_at + interval '1 h'"))
        ids = accept(connection, a_send(receiver_id=9))
        assert persist_lane.claim(connection, 10).ids == ids
        persistence.persist(connection, ids)
        persist_lane.end_claim(connection)


def attempts_of(engine: Engine) -> list[int]:
    """The attempts of all accepted sends, in the order of their ids."""
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT attempts FROM accepted ORDER BY id"))
        return [row.attempts for row in rows]


def test_what_kills_its_workers_alone_while_others_go_through_is_at_last_buried(
    engine: Engine,
) -> None:
    """A send that was claimed alone each time its worker died, with others persisted in between, is a dead letter after five deaths."""
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
    """While PostgreSQL lets nothing through, workers that die count no attempt against the sends they had claimed."""
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
    """A send that PostgreSQL keeps waiting ends up alone in its claim, rests, and has no attempts; others go through."""
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
    """A connection like that of the lane's holder: every statement is a transaction of its own."""
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def leave_in_hand(engine: Engine, *, by: str, found_by: str) -> persist_lane.LaneState:
    """The lane as `found_by` finds it after `by` claimed something and left it."""
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
    """A worker that lives and cannot finish, because PostgreSQL is out of room, counts no attempt (fault row 16)."""
    assert leave_in_hand(engine, by="one", found_by="another").holder_died
    found = leave_in_hand(engine, by="one", found_by="one")
    assert not found.holder_died
    with engine.begin() as connection:
        for _ in range(6):
            assert persist_lane.recover_claim(connection, holder_died=False, max_attempts=5) == []
        attempts = connection.execute(text("SELECT max(attempts) FROM accepted")).scalar()
    assert attempts == 0


def test_a_crash_of_postgresql_says_nothing_against_the_worker() -> None:
    """After PostgreSQL crashed and recovered, the next holder counts no attempt against what was claimed."""
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
    """A PostgreSQL that writes to the disk what it commits, which those of other tests do not."""
    with services.folder() as path:
        server = EmbeddedPostgres(path / "postgres")
        server.start()
        try:
            yield load(DatabaseSettings, {"CARILLON_DATABASE_URL": server.url})
        finally:
            server.kill()


def is_recovered(engine: Engine) -> bool:
    """Whether PostgreSQL answers again, and its unlogged tables are empty."""
    try:
        with session(engine) as connection:
            rows = connection.execute(text("SELECT count(*) FROM persist_holder")).scalar_one()
            return bool(rows == 0)
    except DBAPIError:
        return False


def test_only_one_session_holds_the_lane(engine: Engine) -> None:
    """A second session does not get the lane until the first one leaves it or ends."""
    with session(engine) as first, session(engine) as second:
        assert persist_lane.take_lane(first, "one") is not None
        assert persist_lane.take_lane(second, "another") is None
        persist_lane.leave_lane(first)
        assert persist_lane.take_lane(second, "another") is not None
        persist_lane.leave_lane(second)
