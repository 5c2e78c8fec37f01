"""Parts of broadcasts that fail are shown and tried again."""

from sqlalchemy import Engine, text

from storage.model.broadcast import (
    BroadcastStatus,
    ChunkState,
)
from storage.postgres.broadcasts import (
    expansion,
    failures,
    lane_work,
)
from tests.builders import add_people
from tests.storage.postgres.broadcasts.steps import expand_all, plan_all, report


def test_a_broadcast_is_not_done_while_a_chunk_fails(engine: Engine) -> None:
    """A broadcast with a failing chunk is EXPANDING and says how many fail and why; it is DONE when they went through."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = plan_all(engine)
    with engine.begin() as connection:
        bad = expansion.find_next_chunk(connection, after_app_id=0)
        assert bad is not None
        for _ in range(200):
            failures.record_chunk_failure(connection, bad, state=ChunkState.WAITING, error="no")
        expand_all(connection)
        failing = report(connection, id)
        assert (failing.status, failing.expanded) == (BroadcastStatus.EXPANDING, 10)
        assert (failing.failed_chunks, failing.last_error) == (1, "no")
        [told] = failures.list_failing(connection, limit=10)
        assert (told.broadcast_id, told.parts, told.last_error) == (id, 1, "no")
        assert not lane_work.has_due_work(connection)
        assert failures.retry_failing(connection, id) == 1
        assert lane_work.has_due_work(connection)
        expand_all(connection)
        done = report(connection, id)
        assert (done.status, done.expanded) == (BroadcastStatus.DONE, 20)
        assert (done.failed_chunks, done.last_error) == (0, None)
        assert failures.list_failing(connection, limit=10) == []


def test_what_an_older_version_gave_up_is_retried_when_it_is_asked_for(engine: Engine) -> None:
    """A broadcast that a version before 0.1.0 set FAILED is opened again by `retry_failing`, and ends DONE."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = plan_all(engine)
    with engine.begin() as connection:
        expand_all(connection)
        connection.execute(text("DELETE FROM deliveries WHERE user_id <= 10"))
        connection.execute(text("UPDATE broadcasts SET status = 'FAILED'"))
        given_up = "UPDATE broadcast_chunks SET state = 'failed', error = 'no' WHERE number = 0"
        connection.execute(text(given_up))
        assert failures.retry_failing(connection, id) == 1
        expand_all(connection)
        assert report(connection, id).status is BroadcastStatus.DONE
