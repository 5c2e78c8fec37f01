"""A broadcast in detail: chunks by state, and the parts that fail."""

from sqlalchemy import Engine

from storage.model.broadcast import ChunkState
from storage.postgres.broadcasts import details, expansion, failures
from tests.builders import a_broadcast, a_send, accept, add_people
from tests.storage.postgres.broadcasts.steps import plan_all


def test_a_broadcast_is_shown_with_its_chunks_and_what_fails_of_it(engine: Engine) -> None:
    """The detail counts chunks and people by state, and a failing chunk is listed with its error and next try."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = plan_all(engine)
    with engine.begin() as connection:
        bad = expansion.find_next_chunk(connection, after_app_id=0)
        assert bad is not None
        failures.record_chunk_failure(connection, bad, state=ChunkState.WAITING, error="no room")
        found = details.find_detail(connection, id)
        assert found is not None
        [count] = found.chunks
        assert (count.state, count.people) == (ChunkState.WAITING, 20)
        assert found.report.id == id
        assert found.title == "审批通知"
        [part] = details.list_failing_parts(connection, id, limit=9)
        assert (part.number, part.error, part.attempts) == (bad.number, "no room", 1)
        assert part.try_at is not None


def test_a_failing_plan_is_a_part_too(engine: Engine) -> None:
    """A broadcast whose planning fails has one failing part, without a number."""
    id = plan_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE broadcasts SET status = 'PENDING' WHERE id = {id}")
        failures.record_plan_failure(connection, id, error="no plan")
        [part] = details.list_failing_parts(connection, id, limit=9)
        assert (part.number, part.error) == (None, "no plan")


def test_what_waits_has_a_detail_and_what_is_no_broadcast_has_none(engine: Engine) -> None:
    """A broadcast that is not persisted yet has a detail without chunks; a message to one person has none."""
    with engine.begin() as connection:
        waiting, single = accept(connection, a_broadcast(), a_send())
        found = details.find_detail(connection, waiting)
        assert found is not None
        assert (found.chunks, found.accepted_at is None) == ((), False)
        assert details.find_detail(connection, single) is None
        assert details.find_detail(connection, 1) is None
