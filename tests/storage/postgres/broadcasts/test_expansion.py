"""Expanding broadcasts: everyone in the audience gets one copy, whatever dies on the way."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, text

from storage.model.broadcast import (
    BroadcastStatus,
    Chunk,
)
from storage.postgres.broadcasts import (
    expansion,
    planning,
    reports,
)
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import persistence
from storage.postgres.sends.backlog import measure_backlog
from tests.builders import a_broadcast, accept, add_app, add_people
from tests.counters import find_drift
from tests.storage.postgres.broadcasts.steps import LEASE, expand_all, plan_all, report


def test_everyone_active_gets_one_copy(engine: Engine) -> None:
    """Every active person gets one copy, and nobody who is disabled or deleted."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 26))
        add_people(connection, [30], status="DISABLED")
        add_people(connection, [31], is_deleted=True)
    id = plan_all(engine)
    with engine.begin() as connection:
        assert report(connection, id).status is BroadcastStatus.EXPANDING
        assert expand_all(connection) == 3
        done = report(connection, id)
        assert (done.status, done.total, done.expanded) == (BroadcastStatus.DONE, 25, 25)
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == list(range(1, 26))
        assert find_drift(connection) == []
        assert reports.find_ended(connection, [id]) == {id: True}


def test_a_broadcast_to_nobody_is_done_at_once(engine: Engine) -> None:
    """A broadcast whose audience is empty is DONE as soon as it is planned."""
    id = plan_all(engine)
    with engine.begin() as connection:
        assert report(connection, id).status is BroadcastStatus.DONE


def test_the_backlog_says_how_many_people_are_left(engine: Engine) -> None:
    """The backlog counts broadcasts under way and the people of their waiting chunks; none when they are done."""
    with engine.begin() as connection:
        add_people(connection, range(1, 26))
    plan_all(engine)
    with engine.begin() as connection:
        before = measure_backlog(connection)
        expand_all(connection)
        after = measure_backlog(connection)
    assert (before.broadcasts, before.people_left) == (1, 25)
    assert (after.broadcasts, after.people_left) == (0, 0)


def test_a_chunk_claimed_many_times_is_expanded_once(engine: Engine) -> None:
    """Lanes that race for the same chunk insert its deliveries once (fault row 18)."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = plan_all(engine)

    def race(number: int) -> bool:
        with engine.begin() as connection:
            return (
                expansion.expand_chunk(connection, Chunk(id, number % 10, 7, ()), lease=LEASE)
                is not None
            )

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(30)))
    assert sum(won) == 10
    with engine.begin() as connection:
        count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == 100
        assert find_drift(connection) == []


def test_a_chunk_that_was_not_published_is_taken_up_when_its_lease_is_over(engine: Engine) -> None:
    """When a lane died before it published a chunk, another publishes it after the lease, and inserts nothing again."""
    with engine.begin() as connection:
        add_people(connection, [1])
    id = plan_all(engine)
    with engine.begin() as connection:
        chunk = expansion.expand_next(connection, lease=LEASE)
        assert chunk is not None
        assert expansion.expand_next(connection, lease=LEASE) is None
        assert expansion.claim_unpublished(connection, lease=LEASE) is None
        assert report(connection, id).status is BroadcastStatus.EXPANDING
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))
        assert expansion.claim_unpublished(connection, lease=LEASE) == chunk
        expansion.mark_published(connection, chunk)
        assert report(connection, id).status is BroadcastStatus.DONE


def expand_apps(connection: Connection, count: int) -> list[int]:
    """The apps whose chunks a lane takes, in the order in which it takes them."""
    taken: list[int] = []
    while len(taken) < count:
        after = taken[-1] if taken else 0
        chunk = expansion.expand_next(connection, after_app_id=after, lease=LEASE)
        if chunk is None:
            chunk = expansion.expand_next(connection, after_app_id=0, lease=LEASE)
        assert chunk is not None
        taken.append(chunk.app_id)
    return taken


def test_apps_take_turns_chunk_by_chunk(engine: Engine) -> None:
    """Two apps, one with many small broadcasts and one with a big one, have a chunk expanded in turn."""
    with engine.begin() as connection:
        add_people(connection, range(1, 61))
    with engine.begin() as connection:
        small = [a_broadcast(audience=(1, 2)) for _ in range(30)]
        ids = accept(connection, *small, a_broadcast(sent_by_app_id=8, app_id=8))
        persistence.persist(connection, ids)
        planned_apps: list[int] = []
        while done := planning.plan_next(
            connection, PlanLimits(10), after_app_id=planned_apps[-1] % 8 if planned_apps else 0
        ):
            planned_apps.append(done.app_id)
        # Of the burst one at a time is planned: the rest waits, and costs nothing.
        assert planned_apps.count(7) == 1
        assert set(planned_apps) == {7, 8}
        assert expand_apps(connection, 2) == [7, 8]
        planning.plan_next(connection, PlanLimits(10))
        assert expand_apps(connection, 2) == [7, 8]
