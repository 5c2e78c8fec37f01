"""Retention: months go whole, and nothing that is left shows that they were there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from storage.postgres.messages import conversations, lookup, partitions, persistence, retention
from storage.postgres.messages.recalls import recall
from tests import wrong_clock
from tests.builders import a_broadcast, a_notification, accept, add_app, add_people
from tests.counters import find_drift
from workers import retention as worker_retention
from workers.services import Services

DAYS = 45


@pytest.fixture
def keeper(services: Services) -> Services:
    """A process that keeps 45 days."""
    return replace(services, settings=replace(services.settings, retention_days=DAYS))


def age(connection: Connection, months: int) -> None:
    """Make everything that is there, and its month, `months` older."""
    month = (datetime.now(UTC).replace(day=1) - timedelta(days=30 * months)).replace(day=1)
    suffix = f"_y{month:%Y}m{month:%m}"
    low = "message_id_floor(make_timestamptz(:y, :m, 1, 0, 0, 0, 'UTC'))"
    values = {"y": month.year, "m": month.month}
    floor = connection.execute(text(f"SELECT {low}"), values).scalar_one()
    for table in ("messages", "deliveries"):
        connection.execute(
            text(
                f"CREATE TABLE {table}{suffix} PARTITION OF {table}"
                f" FOR VALUES FROM ({floor}) TO ({floor + (28 * 86_400_000 << 12)})"
            )
        )
    ids = list(connection.execute(text("SELECT id FROM messages ORDER BY id")).scalars())
    shift = ids[0] - floor - 2
    connection.execute(text(f"UPDATE messages SET id = id - {shift}"))
    connection.execute(text(f"UPDATE deliveries SET message_id = message_id - {shift}"))
    connection.execute(
        text(f"UPDATE conversations SET last_message_id = last_message_id - {shift}")
    )


def send(connection: Connection, *receivers: int) -> None:
    """A notification to each."""
    persistence.persist(connection, accept(connection, *map(a_notification, receivers)))


def count_months(engine: Engine) -> int:
    """How many partitions of deliveries there are."""
    with engine.begin() as connection:
        count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'deliveries'::regclass"
        return int(connection.execute(text(count)).scalar_one())


def populate(engine: Engine) -> None:
    """Long ago: 1 and 2 got two each, 1 read; 3 got one. Now: 2 got one, unread."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 5))
        send(connection, 1, 1, 2, 2, 3)
        conversations.mark_all_read(connection, 1)
        age(connection, 4)
    with engine.begin() as connection:
        send(connection, 2)


def drop_months(services: Services) -> None:
    """Take every step of dropping months."""
    while worker_retention.drop_slice(services):
        pass


def test_a_month_past_its_time_goes_without_a_trace(keeper: Services, engine: Engine) -> None:
    """After a month is dropped, counters are without it, conversations with nothing else are gone, and a recount is exact."""
    populate(engine)
    before = count_months(engine)
    drop_months(keeper)
    assert count_months(engine) == before - 1
    with engine.begin() as connection:
        left = connection.execute(text("SELECT user_id, unread_count FROM conversations")).all()
        assert [tuple(row) for row in left] == [(2, 1)]
        assert conversations.list_conversations(connection, 2)[0].last_content == "你好"
        assert find_drift(connection) == []
        assert connection.execute(text("SELECT count(*) FROM messages")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM retention_progress")).scalar() == 0
    assert not worker_retention.drop_slice(keeper)


def test_nothing_goes_unless_it_is_asked_for(services: Services, engine: Engine) -> None:
    """With 0 days of retention, the default, everything is kept."""
    populate(engine)
    before = count_months(engine)
    assert not worker_retention.drop_slice(services)
    assert count_months(engine) == before


def test_an_interrupted_settling_goes_on_and_never_drifts(keeper: Services, engine: Engine) -> None:
    """After every slice of settling counters equal a recount, also with reads and sends in between."""
    populate(engine)
    with engine.begin() as connection:
        month = partitions.find_expired_month(connection, kept=timedelta(days=DAYS))
        assert month is not None
    more = True
    while more:
        with engine.begin() as connection:
            more = retention.settle_slice(connection, month, slice=1)
        with engine.begin() as connection:
            assert find_drift(connection) == []
            send(connection, 3)
            conversations.mark_all_read(connection, 2)
    with engine.begin() as connection:
        assert retention.check_settled(connection, month)
    drop_months(keeper)
    with engine.begin() as connection:
        assert partitions.find_expired_month(connection, kept=timedelta(days=DAYS)) is None
        assert find_drift(connection) == []


def test_what_comes_into_an_old_month_is_settled_again(engine: Engine) -> None:
    """A failed send that is replayed into a month after its slice was settled is settled too, before the month is dropped."""
    populate(engine)
    with engine.begin() as connection:
        month = partitions.find_expired_month(connection, kept=timedelta(days=DAYS))
        assert month is not None
        while retention.settle_slice(connection, month, slice=10):
            pass
        accept(connection, a_notification(4))
        connection.execute(text("UPDATE accepted SET id = :id"), {"id": month.low + 9})
        persistence.persist(connection, [month.low + 9])
        assert not retention.check_settled(connection, month)
        while retention.settle_slice(connection, month, slice=10):
            pass
        assert retention.check_settled(connection, month)
        assert find_drift(connection) == []


def test_the_broadcasts_of_the_month_go_too(keeper: Services, engine: Engine) -> None:
    """The broadcasts of a dropped month go with their chunks; younger ones stay."""
    populate(engine)
    with engine.begin() as connection:
        ids = accept(connection, a_broadcast(), a_broadcast())
        persistence.persist(connection, ids)
        old = "UPDATE broadcasts SET id = message_id_floor(now() - interval '200 days') WHERE id = :id"
        connection.execute(text(old), {"id": ids[0]})
    drop_months(keeper)
    with engine.begin() as connection:
        assert list(connection.execute(text("SELECT id FROM broadcasts")).scalars()) == [ids[1]]


def test_a_recall_after_the_settling_leaves_no_ghost(keeper: Services, engine: Engine) -> None:
    """A recall after the settling leaves no conversation whose last message went with the month."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 3))
        send(connection, 1, 2, 2)
        conversations.mark_all_read(connection, 2)
        age(connection, 4)
    with engine.begin() as connection:
        [last, kept] = accept(connection, a_notification(2), a_notification(1))
        persistence.persist(connection, [last, kept])
        month = partitions.find_expired_month(connection, kept=timedelta(days=DAYS))
        assert month is not None
        while retention.settle_slice(connection, month, slice=10):
            pass
    with engine.begin() as connection:
        found = lookup.find_message(connection, last)
        assert found is not None
        recall(connection, found.message)
    drop_months(keeper)
    with engine.begin() as connection:
        left = connection.execute(text("SELECT user_id, last_message_id FROM conversations")).all()
        assert [tuple(row) for row in left] == [(1, kept)]
        assert find_drift(connection) == []


def test_a_month_is_looked_through_in_parts(engine: Engine) -> None:
    """A month is checked page by page and the place is kept, so that a large one never needs a long statement."""
    populate(engine)
    with engine.begin() as connection:
        month = partitions.find_expired_month(connection, kept=timedelta(days=DAYS))
        assert month is not None
        filler = (
            f"INSERT INTO deliveries{month.suffix} (user_id, peer_id, message_id, read_at)"
            f" SELECT n, -7, {month.low + 100}, now() FROM generate_series(1000, 3000) n"
        )
        connection.execute(text(filler))
        while retention.settle_slice(connection, month, slice=100):
            pass
        parts = 1
        while (is_settled := retention.check_settled(connection, month, blocks=4)) is None:
            parts += 1
    assert is_settled is True
    assert parts > 2


def test_a_clock_that_jumped_ahead_lets_no_month_go(services: Services, engine: Engine) -> None:
    """If PostgreSQL's clock jumped ahead, a month that is not old by the worker's clock is kept."""
    populate(engine)
    wrong_clock.install(engine)
    wrong_clock.shift(engine, 20 * 365 * 86_400.0)
    forever = replace(services, settings=replace(services.settings, retention_days=3650))
    assert not worker_retention.drop_slice(forever)
