"""The steps of a broadcast that several tests take."""

from datetime import timedelta

from sqlalchemy import Connection, Engine

from storage.model.broadcast import (
    BroadcastReport,
)
from storage.model.send import Send
from storage.postgres.broadcasts import (
    expansion,
    planning,
    reports,
)
from storage.postgres.broadcasts.planning import PlanLimits, PlannedSlice
from storage.postgres.messages import persistence
from tests.builders import a_broadcast, accept

LEASE = timedelta(seconds=30)


def plan_all(engine: Engine, send: Send | None = None, *, chunk_size: int = 10) -> int:
    """Accept, persist and plan a broadcast; returns its id."""
    with engine.begin() as connection:
        [id] = accept(connection, send or a_broadcast())
        persistence.persist(connection, [id])
        done = planning.plan_next(connection, PlanLimits(chunk_size, people=chunk_size * 1000))
        assert done == PlannedSlice(id, 7, is_complete=True)
        return id


def expand_all(connection: Connection) -> int:
    """Expand and publish every waiting chunk; returns how many."""
    done = 0
    while chunk := expansion.expand_next(connection, lease=LEASE):
        expansion.mark_published(connection, chunk)
        done += 1
    return done


def report(connection: Connection, id: int) -> BroadcastReport:
    """The report of a broadcast that app 7 gets."""
    found = reports.find_report(connection, id, app_id=7)
    assert found is not None
    return found
