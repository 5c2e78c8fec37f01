"""Dead letters: kept whole, replayed as they were."""

from sqlalchemy import Engine, text

from storage.postgres.sends import backlog, failed_sends, persist_lane
from tests.builders import a_broadcast, accept


def test_a_replayed_dead_letter_is_the_same_send_again(engine: Engine) -> None:
    """A replayed dead letter is accepted with its old id and content; to drop one that is gone does nothing."""
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
