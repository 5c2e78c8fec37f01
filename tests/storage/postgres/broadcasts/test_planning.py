"""Planning: an app's broadcasts one at a time, oldest first; what cannot be planned rests alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from storage.postgres.broadcasts import expansion, failures, planning
from storage.postgres.broadcasts.planning import PlanLimits, PlannedSlice
from storage.postgres.messages import persistence
from storage.settings import load
from tests.builders import a_broadcast, accept, add_people
from workers.settings import WorkerSettings

LEASE = timedelta(seconds=30)
# Two chunks of ten people a slice.
SMALL = PlanLimits(10, people=20)


def add_pending(engine: Engine, *apps: int, people: int = 60) -> list[int]:
    """Accept and persist a broadcast of each of `apps`; returns their ids."""
    with engine.begin() as connection:
        add_people(connection, range(1, people + 1))
        sends = [a_broadcast(sent_by_app_id=app, app_id=app) for app in apps]
        ids = accept(connection, *sends)
        persistence.persist(connection, ids)
    return ids


def plan(engine: Engine, slicing: PlanLimits = SMALL) -> PlannedSlice | None:
    """Plan one slice, in a transaction of its own."""
    with engine.begin() as connection:
        return planning.plan_next(connection, slicing)


def test_a_second_planner_never_takes_the_apps_next_broadcast(engine: Engine) -> None:
    """While one lane plans an app's oldest broadcast another plans another app's, or nothing."""
    first, _second, _third, others = add_pending(engine, 7, 7, 7, 8)
    with engine.begin() as one, engine.begin() as two, engine.begin() as three:
        assert planning.plan_next(one, SMALL) == PlannedSlice(first, 7, is_complete=False)
        assert planning.plan_next(two, SMALL) == PlannedSlice(others, 8, is_complete=False)
        assert planning.plan_next(three, SMALL) is None


def test_planners_that_race_leave_nothing_half_planned(engine: Engine) -> None:
    """Four lanes at once plan and expand four broadcasts of an app completely, and in order."""
    ids = add_pending(engine, 7, 7, 7, 7)

    def lane(_: int) -> None:
        idle = 0
        while idle < 50:
            planned = plan(engine)
            with engine.begin() as connection:
                chunk = expansion.expand_next(connection, lease=LEASE)
                if chunk:
                    expansion.mark_published(connection, chunk)
            idle = 0 if planned or chunk else idle + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lane, range(4)))
    with engine.begin() as connection:
        for id in expansion.list_expanding(
            connection
        ):  # two lanes that were done at once; the sweep's
            expansion.close_if_done(connection, id)
        done = text("SELECT id FROM broadcasts WHERE status = 'DONE' ORDER BY planned_at")
        assert list(connection.execute(done).scalars()) == ids


def test_a_broadcast_that_is_begun_is_never_barred(engine: Engine) -> None:
    """A broadcast that is half planned and an older one that comes later, a replayed dead letter, are both planned."""
    older, younger = add_pending(engine, 7, 7)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE broadcasts SET status = 'CANCELLED' WHERE id = :id"), {"id": older}
        )
    assert plan(engine) == PlannedSlice(younger, 7, is_complete=False)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE broadcasts SET status = 'PENDING' WHERE id = :id"), {"id": older}
        )
    planned = [plan(engine) for _ in range(4)]
    assert [(p.broadcast_id, p.is_complete) for p in planned if p] == [
        (older, False),
        (older, False),
        (older, False),
        (older, True),
    ]
    # The older one's chunks wait to be taken: the younger goes on all the same.
    assert plan(engine) == PlannedSlice(younger, 7, is_complete=False)


@pytest.mark.parametrize("size", [1, 6_553, 6_554, 10_000, 32_767, 32_768, 65_536, 100_000])
def test_every_chunk_size_that_is_allowed_can_be_planned(engine: Engine, size: int) -> None:
    """The whole audience is planned with any size of chunk that the setting allows, in as few chunks as possible."""
    settings = load(WorkerSettings, {"CARILLON_CHUNK_SIZE": str(size)})
    [id] = add_pending(engine, 7, people=30)
    assert plan(engine, PlanLimits(settings.chunk_size)) == PlannedSlice(id, 7, is_complete=True)
    with engine.begin() as connection:
        sizes = text("SELECT sum(size), max(size) FROM broadcast_chunks")
        assert tuple(connection.execute(sizes).one()) == (30, min(size, 30))


@pytest.mark.parametrize("size", [1, 5_000])
def test_a_long_list_is_planned_in_slices_exactly(engine: Engine, size: int) -> None:
    """Every second of 40,000 people is named, also in chunks of one: each slice is done in seconds.

    When each chunk looked at the whole list anew, a slice took minutes.
    """
    named = tuple(range(2, 40_001, 2))
    with engine.begin() as connection:
        people = "INSERT INTO users (id, created_at) SELECT n, now() - interval '1 day'"
        connection.execute(text(f"{people} FROM generate_series(1, 40000) n"))
        ids = accept(connection, a_broadcast(audience=named))
        persistence.persist(connection, ids)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '4s'"))
        slices = 0
        while planning.plan_next(connection, PlanLimits(size, people=10_001)):
            slices += 1
        planned = text("SELECT unnest(user_ids) FROM broadcast_chunks ORDER BY number")
        assert tuple(connection.execute(planned).scalars()) == named
        sizes = text("SELECT max(size), max(number) + 1 FROM broadcast_chunks")
        largest, number = connection.execute(sizes).one()
    assert (largest, number) == (size, 20_000 // size)
    assert slices <= 4


def rest(connection: Connection) -> list[float]:
    """For about how many seconds each pending broadcast rests."""
    seconds = text(
        "SELECT coalesce(round(extract(epoch FROM rest_until - now()), 1), 0)"
        " FROM broadcasts WHERE status = 'PENDING' ORDER BY id"
    )
    return [float(one) for one in connection.execute(seconds).scalars()]


def over(connection: Connection) -> None:
    """Let every rest be over."""
    connection.execute(text("UPDATE broadcasts SET rest_until = now() WHERE error IS NOT NULL"))


def test_a_plan_that_fails_rests_and_lets_the_next_ones_go_first_in_the_end(
    engine: Engine,
) -> None:
    """A plan that fails is tried again after pauses of up to a minute; after a few the app's next broadcasts go first."""
    bad, good = add_pending(engine, 7, 7)
    once = PlanLimits(10, people=20, max_attempts=2)
    with engine.begin() as connection:
        failures.record_plan_failure(connection, bad, error="no")
        assert rest(connection) == [pytest.approx(0.5, abs=0.3), 0]
    assert plan(engine, once) is None
    with engine.begin() as connection:
        over(connection)
    assert plan(engine, once) == PlannedSlice(bad, 7, is_complete=False)
    with engine.begin() as connection:
        for _ in range(40):
            failures.record_plan_failure(connection, bad, error="no")
        assert rest(connection)[0] == pytest.approx(64, abs=1)
    assert plan(engine, once) == PlannedSlice(good, 7, is_complete=False)
    with engine.begin() as connection:
        over(connection)
    assert plan(engine, once) == PlannedSlice(bad, 7, is_complete=False)
