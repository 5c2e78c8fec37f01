"""The schedule: what is accepted and not due yet."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from storage.postgres.sends.schedule import list_scheduled
from tests.builders import a_broadcast, a_send, accept


def test_the_schedule_has_what_is_ahead_in_its_order(engine: Engine) -> None:
    """What is not due yet is listed, the next one first and page by page; what is due or was sent at once is not."""
    now = datetime.now(UTC)

    def at(hours: int) -> datetime:
        return now + timedelta(hours=hours)

    with engine.begin() as connection:
        accept(connection, a_send(), a_send(send_at=now - timedelta(seconds=5)))
        later, soon, announced = accept(
            connection,
            a_send(send_at=at(3)),
            a_send(send_at=at(1)),
            a_broadcast(send_at=at(2), title="公告"),
        )
        found = list_scheduled(connection, limit=9)
        assert [one.id for one in found] == [soon, announced, later]
        assert [one.is_broadcast for one in found] == [False, True, False]
        assert found[1].title == "公告"
        assert not any(one.is_held for one in found)
        assert abs(found[0].due_at - at(1)) < timedelta(seconds=1)
        first = list_scheduled(connection, limit=2)
        assert [one.id for one in first] == [soon, announced]
        assert [one.id for one in list_scheduled(connection, limit=2, after_id=first[-1].id)] == [
            later
        ]


def test_the_schedule_says_what_is_held(engine: Engine) -> None:
    """A scheduled send of an app that is held is marked, because it would not go on when it is due."""
    with engine.begin() as connection:
        ahead = datetime.now(UTC) + timedelta(hours=1)
        accept(connection, a_send(sent_by_app_id=7, send_at=ahead), a_send(send_at=ahead))
        connection.exec_driver_sql("INSERT INTO held_apps (app_id) VALUES (7)")
        assert sorted(one.is_held for one in list_scheduled(connection, limit=9)) == [False, True]
