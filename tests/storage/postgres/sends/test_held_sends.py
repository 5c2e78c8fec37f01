"""What a disabled app has scheduled is held: neither lost nor delivered, and in nobody's way."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from storage.model.message import MessageStatus
from storage.postgres.messages import lookup, persistence
from storage.postgres.people import apps
from storage.postgres.sends import backlog, held_sends, persist_lane, withdrawals
from tests.builders import a_broadcast, a_notification, a_send, accept, add_app, add_people


def schedule_sends(engine: Engine, number: int, *, app: int = 7) -> list[int]:
    """Scheduled sends of an app to person 2 that are due now; returns their ids."""
    soon = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        ids = accept(
            connection,
            *[a_notification(sent_by_app_id=app, app_id=app, send_at=soon) for _ in range(number)],
        )
        connection.execute(
            text(
                "UPDATE accepted SET ring_at = now() - interval '1s', created_at = now(),"
                " id = id - (CAST(86400000 AS bigint) << 12) WHERE id = ANY(:ids)"
            ),
            {"ids": ids},
        )
    return [id - (86_400_000 << 12) for id in ids]


def enable(engine: Engine, *, is_active: bool) -> None:
    """Enable or disable app 7."""
    with engine.begin() as connection:
        apps.set_active(connection, 7, is_active=is_active)


def people_and_apps(engine: Engine) -> None:
    """Two people, app 7 and app 8."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        add_app(connection, 7)
        add_app(connection, 8)


def claim(engine: Engine) -> list[int]:
    """The ids that the persist lane would claim."""
    with engine.begin() as connection:
        return list(persist_lane.claim(connection, 100).ids)


def status(engine: Engine, id: int) -> tuple[MessageStatus, bool]:
    """The status of a message, and whether it is held."""
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
    assert found is not None
    return found.status, found.is_held


def test_what_a_disabled_app_scheduled_is_not_delivered_before_it_is_enabled(
    engine: Engine,
) -> None:
    """A disabled app's scheduled sends wait; its live sends and those of other apps and people go on."""
    people_and_apps(engine)
    held, others = schedule_sends(engine, 3), schedule_sends(engine, 1, app=8)
    enable(engine, is_active=False)
    with engine.begin() as connection:
        live = accept(connection, a_send(), a_notification())
        [everyone] = accept(connection, a_broadcast())
    assert claim(engine) == [*others, *live, everyone]
    with engine.begin() as connection:
        assert held_sends.hold(connection, limit=2) == 2
        assert held_sends.hold(connection, limit=2) == 1
        assert held_sends.release(connection, limit=100) == 0
        assert backlog.measure_backlog(connection).scheduled_due == 1
    assert {status(engine, id) for id in held} == {(MessageStatus.SCHEDULED, True)}
    enable(engine, is_active=True)
    with engine.begin() as connection:
        assert held_sends.release(connection, limit=100) == 3
    assert set(held) <= set(claim(engine))
    with engine.begin() as connection:
        assert [one.message.id for one in persistence.persist(connection, held)] == held
    assert status(engine, held[0]) == (MessageStatus.DELIVERED, False)


def test_what_is_held_can_be_taken_back(engine: Engine) -> None:
    """A held send that was recalled is not delivered when its app is enabled again."""
    people_and_apps(engine)
    [id] = schedule_sends(engine, 1)
    enable(engine, is_active=False)
    with engine.begin() as connection:
        held_sends.hold(connection, limit=10)
        assert withdrawals.withdraw(connection, id)
    enable(engine, is_active=True)
    with engine.begin() as connection:
        assert held_sends.release(connection, limit=10) == 0
    assert status(engine, id) == (MessageStatus.RECALLED, False)
