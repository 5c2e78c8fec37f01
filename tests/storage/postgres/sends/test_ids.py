"""Ids of messages are unique and rise, also when PostgreSQL's clock is set back or jumps ahead."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ops.local.polling import wait_until
from storage.model.errors import TransientError
from storage.model.message import MAX_ID
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.driver_errors import translate_driver_errors
from storage.postgres.messages import persistence
from storage.postgres.sends import backlog, failed_sends, idempotency, intake, persist_lane
from storage.postgres.sends.intake import IntakeItem
from storage.postgres.sends.withdrawals import withdraw
from tests import wrong_clock
from tests.builders import a_send, accept

MONTHS = 7 * 30 * 86_400.0
LAST_ID = text("SELECT last_value FROM message_ids")


@pytest.fixture
def clock(engine: Engine) -> Engine:
    """The engine of a database whose clock can be set."""
    wrong_clock.install(engine)
    return engine


@pytest.mark.parametrize("back_seconds", [2.0, MONTHS])
def test_ids_go_on_rising_when_the_clock_is_set_back(clock: Engine, back_seconds: float) -> None:
    """A send that is accepted later has a higher id, however far PostgreSQL's clock was set back."""
    with clock.begin() as connection:
        before = accept(connection, *[a_send()] * 50)
    wrong_clock.shift(clock, -back_seconds)
    with clock.begin() as connection:
        meanwhile = accept(connection, *[a_send()] * 50)
    wrong_clock.shift(clock, 0.0)
    with clock.begin() as connection:
        after = accept(connection, *[a_send()] * 50)
    ids = [*before, *meanwhile, *after]
    assert ids == sorted(set(ids))
    assert ids[-1] <= MAX_ID


def test_no_id_is_given_out_twice_while_the_clock_jumps(clock: Engine) -> None:
    """Four sessions that accept at full speed get no id twice while PostgreSQL's clock goes back and forth."""
    over = Event()

    def accept_until_over(_: int) -> list[int]:
        ids: list[int] = []
        while not over.is_set():
            with clock.begin() as connection:
                batch = accept(connection, *[a_send()] * 100)
            assert not ids or batch[0] > ids[-1], "what is accepted later has a higher id"
            ids += batch
        return ids

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(accept_until_over, n) for n in range(4)]
        for seconds in (-2.0, 0.0, -5.0, 3.0, -1.0, 0.0):
            wrong_clock.shift(clock, seconds)
            assert wait_until(partial(has_passed, clock, last_id(clock)), seconds=10)
        over.set()
        ids = [id for one in running for id in one.result()]
    assert len(ids) == len(set(ids)) > 0


def last_id(engine: Engine) -> int:
    """The highest id given to a live send."""
    with engine.begin() as connection:
        return int(connection.execute(LAST_ID).scalar_one())


def has_passed(engine: Engine, id: int) -> bool:
    """Whether ids above this one were given out."""
    return last_id(engine) > id


def test_a_clock_that_jumped_ahead_is_refused_and_leads_no_later_id_away(clock: Engine) -> None:
    """With a clock months ahead nothing is accepted (TransientError); once it is right again, ids are of the present."""
    wrong_clock.shift(clock, MONTHS)
    for send in (a_send(), a_send(send_at=datetime.now(UTC) + timedelta(days=1))):
        with (
            pytest.raises(TransientError, match="clock"),
            translate_driver_errors(),
            clock.begin() as connection,
        ):
            accept(connection, send)
    wrong_clock.shift(clock, 0.0)
    with clock.begin() as connection:
        [id] = accept(connection, a_send())
        instant = text("SELECT :id < message_id_floor(clock_timestamp() + interval '1 minute')")
        assert connection.execute(instant, {"id": id}).scalar_one()
        assert connection.execute(text("SELECT count(*) FROM accepted")).scalar_one() == 1


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_ingest_may_be_ten_minutes_off(engine: Engine, off: timedelta) -> None:
    """A process whose clock is ten minutes off accepts sends: the bound is for jumps only (fault row 30)."""
    with engine.begin() as connection:
        [one] = intake.accept(connection, [IntakeItem(a_send())], now=datetime.now(UTC) + off)
    assert isinstance(one, Accepted)


def test_a_refusal_by_the_clock_forgets_no_key(clock: Engine) -> None:
    """A key that was used before the clock jumped gets its first answer after it, also if it was asked for in between."""
    key = IdempotencyKey("user:1", "k", b"body")
    with clock.begin() as connection:
        first = accept(connection, a_send(), key=key)
    wrong_clock.shift(clock, MONTHS)
    with translate_driver_errors(), clock.begin() as connection:
        again = idempotency.find_first_answers(connection, [key])[0]
    assert isinstance(again, Accepted) and again.id == first[0]
    wrong_clock.shift(clock, 0.0)
    with clock.begin() as connection:
        assert accept(connection, a_send(), key=key) == first


def test_nobody_waits_for_anothers_commit(engine: Engine) -> None:
    """A session that took ids and has not committed does not keep others from taking the next ones."""
    with engine.begin() as slow:
        [first] = accept(slow, a_send())
        with engine.begin() as quick:
            quick.execute(text("SET LOCAL lock_timeout = '2s'"))
            [second] = accept(quick, a_send())
    assert second > first


def test_a_statement_that_is_cancelled_keeps_no_one_from_ids(engine: Engine) -> None:
    """A statement that was cancelled or refused while it took ids leaves no lock in its session."""
    lock = text("SELECT pg_advisory_lock(hashtext('carillon message ids'))")
    unlock = text("SELECT pg_advisory_unlock(hashtext('carillon message ids'))")
    take = text("SELECT take_message_ids(1, :latest)")
    with engine.connect() as other, engine.connect() as held:
        sessions = [one.execution_options(isolation_level="AUTOCOMMIT") for one in (other, held)]
        sessions[0].execute(lock)
        sessions[1].execute(text("SET statement_timeout = '100ms'"))
        with pytest.raises(DBAPIError):
            sessions[1].execute(take, {"latest": MAX_ID})
        sessions[0].execute(unlock)
        with pytest.raises(DBAPIError):
            sessions[1].execute(take, {"latest": 1})
        assert sessions[0].execute(take, {"latest": MAX_ID}).scalar_one() > 0
        locks = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert sessions[0].execute(locks).scalar_one() == 0
        sessions[1].execute(text("RESET statement_timeout"))


def test_those_due_at_one_instant_are_in_the_order_of_their_acceptance(engine: Engine) -> None:
    """5,000 sends that are due at one millisecond have rising ids in the order of acceptance, close to that time."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    ids: list[int] = []
    for _ in range(10):
        with engine.begin() as connection:
            ids += accept(connection, *[a_send(send_at=due)] * 500)
    assert ids == sorted(set(ids))
    floor = floor_of(engine, due)
    assert ids[0] == floor + 1
    # 256 a millisecond.
    assert ids[-1] < floor_of(engine, due + timedelta(milliseconds=20))


def floor_of(engine: Engine, instant: datetime) -> int:
    """The first id of an instant."""
    with engine.begin() as connection:
        question = text("SELECT message_id_floor(:instant)")
        return int(connection.execute(question, {"instant": instant}).scalar_one())


def test_scheduled_ids_are_unique_whatever_became_of_the_earlier_ones(engine: Engine) -> None:
    """The id of a scheduled send that was recalled, held or failed is not given out again, nor one of a neighbouring time."""
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    later = due + timedelta(milliseconds=1)
    with engine.begin() as connection:
        gone, dead, held, next_ms = accept(
            connection, *[a_send(send_at=due)] * 3, a_send(send_at=later)
        )
        withdraw(connection, gone)
        failed_sends.move_to_failed(connection, [dead])
        connection.execute(
            text(
                "WITH gone AS (DELETE FROM accepted WHERE id = :id RETURNING *)"
                " INSERT INTO held_sends (id, app_id, payload) SELECT id, 7, to_jsonb(gone) FROM gone"
            ),
            {"id": held},
        )
        many = [id for _ in range(5) for id in accept(connection, *[a_send(send_at=due)] * 500)]
        mixed = accept(
            connection, a_send(), a_send(send_at=later), a_send(send_at=due), a_send(send_at=later)
        )
        failed_sends.replay(connection, [dead])
    ids = [gone, dead, held, next_ms, *many, *mixed]
    assert len(ids) == len(set(ids))
    assert many == sorted(many)
    assert mixed[1] < mixed[3]


def test_two_sessions_that_schedule_for_one_instant_take_different_ids(engine: Engine) -> None:
    """The second session waits for the first one's commit and takes ids above its ids."""
    due = datetime.now(UTC) + timedelta(days=1)
    together = Barrier(4)

    def schedule(_: int) -> list[int]:
        ids: list[int] = []
        for _round in range(5):
            together.wait(10)
            with engine.begin() as connection:
                ids += accept(connection, *[a_send(send_at=due)] * 20, a_send())
        return ids

    with ThreadPoolExecutor(4) as pool:
        ids = [id for one in pool.map(schedule, range(4)) for id in one]
    assert len(ids) == len(set(ids)) == 4 * 5 * 21


def test_what_is_due_when_it_comes_is_a_live_send(engine: Engine) -> None:
    """A send whose time passed on its way gets a live id, above what is in the histories already."""
    with engine.begin() as connection:
        [first] = accept(connection, a_send())
        persistence.persist(connection, persist_lane.claim(connection, 10).ids)
        [late] = accept(connection, a_send(send_at=datetime.now(UTC) - timedelta(seconds=1)))
        assert late > first
        assert persist_lane.claim(connection, 10).ids == [late]


def test_a_send_scheduled_while_the_clock_is_behind_is_not_below_live_ones(clock: Engine) -> None:
    """After the clock was set back, a send that becomes due has an id above those of earlier live sends."""
    with clock.begin() as connection:
        [live] = accept(connection, a_send())
    wrong_clock.shift(clock, -600.0)
    due = datetime.now(UTC) - timedelta(seconds=300)  # in five minutes, by that clock
    with clock.begin() as connection:
        [scheduled] = accept(connection, a_send(send_at=due))
        assert scheduled > live
        is_scheduled = text("SELECT is_scheduled FROM accepted WHERE id = :id")
        assert connection.execute(is_scheduled, {"id": scheduled}).scalar_one()


def test_what_is_scheduled_does_not_go_early_when_the_clock_jumps_ahead(clock: Engine) -> None:
    """When PostgreSQL's clock is months ahead, a worker claims live sends and no scheduled send before its time."""
    with clock.begin() as connection:
        [live] = accept(connection, a_send())
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(days=1)))
    wrong_clock.shift(clock, MONTHS)
    with clock.begin() as connection:
        assert persist_lane.claim(connection, 10).ids == [live]
        assert backlog.measure_backlog(connection).scheduled_due == 0


def test_nobody_waits_for_a_clock_that_was_set_back(clock: Engine) -> None:
    """After the clock was set back, sends accepted before are claimed at once, and so is what becomes due."""
    with clock.begin() as connection:
        [before] = accept(connection, a_send())
    wrong_clock.shift(clock, -600.0)
    due = datetime.now(UTC) - timedelta(seconds=599)
    with clock.begin() as connection:
        [scheduled] = accept(connection, a_send(send_at=due))
        assert persist_lane.claim(connection, 10).ids == [before]
    assert wait_until(lambda: claim_ids(clock) == [before, scheduled], seconds=10)


def claim_ids(engine: Engine) -> list[int]:
    """The ids that the lane would claim."""
    with engine.begin() as connection:
        return persist_lane.claim(connection, 10).ids
