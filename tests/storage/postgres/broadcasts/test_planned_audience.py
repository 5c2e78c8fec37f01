"""The audience of a broadcast: who was active when it was accepted, however late it is planned."""

from sqlalchemy import Engine, text

from storage.postgres.broadcasts import (
    planning,
)
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import persistence
from tests.builders import a_broadcast, accept, add_people
from tests.storage.postgres.broadcasts.steps import expand_all, plan_all, report


def test_the_audience_is_frozen_when_it_is_planned(engine: Engine) -> None:
    """People who join or leave after a broadcast was planned do not change its audience (fault row 20)."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = plan_all(engine)
    with engine.begin() as connection:
        add_people(connection, [11, 12])
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 3"))
        expand_all(connection)
        assert report(connection, id).total == 10
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == list(range(1, 11))


def test_who_joined_after_the_accept_is_not_in(engine: Engine) -> None:
    """People who joined after a broadcast was accepted and before it was planned do not get it."""
    with engine.begin() as connection:
        add_people(connection, [1])
        [id] = accept(connection, a_broadcast())
        connection.execute(text("INSERT INTO users (id) VALUES (2)"))
        connection.execute(text("UPDATE users SET created_at = clock_timestamp() WHERE id = 2"))
        persistence.persist(connection, [id])
        planning.plan_next(connection, PlanLimits(10))
        assert report(connection, id).total == 1


def test_a_list_is_the_audience_when_one_is_given(engine: Engine) -> None:
    """The audience of a list is its active people; names that could not be resolved are in the report."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = plan_all(engine, a_broadcast(audience=(2, 4, 99), unresolved=("99",)))
    with engine.begin() as connection:
        expand_all(connection)
        done = report(connection, id)
    assert (done.total, done.unresolved) == (2, ("99",))


def test_the_audience_is_of_the_acceptance_however_late_it_is_planned(engine: Engine) -> None:
    """People who are disabled, enabled, deleted or added between acceptance and any slice do not change the audience."""
    active, shut = set(range(1, 41)), {50, 51, 52}
    with engine.begin() as connection:
        add_people(connection, active)
        add_people(connection, shut, status="DISABLED")
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
    change = "UPDATE users SET status = :status WHERE id = :id"
    with engine.begin() as connection:
        persistence.persist(connection, [id])
        for user, *statuses in (
            (3, "DISABLED"),
            (4, "DISABLED", "ACTIVE"),
            (5, "DISABLED", "ACTIVE", "DISABLED"),
            (50, "ACTIVE"),
            (51, "ACTIVE", "DISABLED"),
            (52, "DISABLED", "ACTIVE", "DISABLED", "ACTIVE"),
        ):
            for status in statuses:
                connection.execute(text(change), {"id": user, "status": status})
        connection.execute(text("UPDATE users SET is_deleted = true WHERE id = 6"))
        connection.execute(
            text("INSERT INTO users (id, created_at) VALUES (60, clock_timestamp())")
        )
    slices = 0
    while True:
        with engine.begin() as connection:
            done = planning.plan_next(connection, PlanLimits(5, people=10))
            slices += 1
            connection.execute(text(change), {"id": 40 - slices, "status": "DISABLED"})
        if done is None or done.is_complete:
            break
    assert slices == 5
    with engine.begin() as connection:
        assert expand_all(connection) == 8
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == sorted(active)
        assert report(connection, id).total == len(active)


def test_a_named_audience_is_of_the_acceptance_too(engine: Engine) -> None:
    """The audience of a list is who was active at acceptance; people who are named twice get one copy."""
    with engine.begin() as connection:
        add_people(connection, range(1, 31))
        add_people(connection, [40], status="DISABLED")
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast(audience=(9, 3, 3, 40, 21, 15)))
    with engine.begin() as connection:
        persistence.persist(connection, [id])
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 9"))
        connection.execute(text("UPDATE users SET status = 'ACTIVE' WHERE id = 40"))
    done = None
    while done is None or not done.is_complete:
        with engine.begin() as connection:
            done = planning.plan_next(connection, PlanLimits(1, people=2))
    with engine.begin() as connection:
        expand_all(connection)
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == [3, 9, 15, 21]


def test_changes_of_people_are_forgotten_when_nothing_can_ask(engine: Engine) -> None:
    """Changes of who is active are kept as long as a broadcast that was accepted before them may be planned."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 1"))
        connection.execute(text("UPDATE activity_changes SET changed_at = now() - interval '2 h'"))
        connection.execute(text("UPDATE accepted SET accepted_at = now() - interval '3 h'"))
        assert planning.purge_activity_changes(connection) == 0
        persistence.persist(connection, [id])
        assert planning.purge_activity_changes(connection) == 0
        planning.plan_next(connection, PlanLimits(10))
        assert planning.purge_activity_changes(connection) == 1
