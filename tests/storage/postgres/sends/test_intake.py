"""The intake: ids rise, and every send has its own."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from storage.model.message import MAX_ID
from tests.builders import a_send, accept


def test_a_batch_is_answered_in_order_with_rising_ids_that_javascript_can_read(
    engine: Engine,
) -> None:
    """Ids rise in the order of the requests and stay below 2**53."""
    with engine.begin() as connection:
        ids = accept(connection, *[a_send(receiver_id=n) for n in range(1, 300)])
    assert ids == sorted(set(ids))
    assert 0 < ids[0] < ids[-1] <= MAX_ID
    with engine.begin() as connection:
        receivers = connection.execute(text("SELECT receiver_id FROM accepted ORDER BY id"))
        assert list(receivers.scalars()) == list(range(1, 300))


def test_many_scheduled_for_one_instant_have_ids_of_their_own(engine: Engine) -> None:
    """10,000 sends due at the same millisecond do not collide."""
    due = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        ids: list[int] = []
        for _ in range(20):
            ids += accept(connection, *[a_send(send_at=due)] * 500)
    assert len(set(ids)) == 10_000
