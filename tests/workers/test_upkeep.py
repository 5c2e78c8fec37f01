"""Upkeep: each kind in its turn, in short transactions, until nothing is left."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from storage.model.errors import CarillonError, PermanentError, TransientError
from storage.model.message import CardState
from storage.postgres import audit
from storage.postgres.broadcasts import planning
from storage.postgres.messages import persistence, recounts
from storage.postgres.sends import backlog, idempotency
from tests.builders import A_COMMAND, a_notification, a_send, accept, add_people
from workers import retention, upkeep
from workers.services import Services

OLD_KEYS = """
INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, created_at, send)
SELECT 'app:7', n::text, '', n, clock_timestamp() - interval '2 days' + make_interval(secs => n / 100), '{}'
  FROM generate_series(1, :count) AS n
"""


def count_keys(engine: Engine) -> int:
    """How many keys are remembered."""
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one())


def test_old_keys_go_in_slices_and_young_ones_stay(services: Services, engine: Engine) -> None:
    """Keys past their day are deleted, no more than a slice in one transaction; keys of today are not touched."""
    with engine.begin() as connection:
        connection.execute(text(OLD_KEYS), {"count": 2_500})
        connection.execute(
            text(
                "INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, send) VALUES ('u', 'k', '', 1, '{}')"
            )
        )
    after, left = None, [count_keys(engine)]
    while left[-1] == 2_501 or after is not None:
        with engine.begin() as connection:
            after = idempotency.purge_keys(connection, slice=1_000, after=after)
        left.append(count_keys(engine))
    assert left == [2_501, 1_501, 501, 1]
    assert not upkeep.tidy(services)


def test_each_kind_has_its_turn_whatever_the_others_have_to_do(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more keys than there is time for, changes are still purged and retention still has its step."""
    monkeypatch.setattr(upkeep, "KEYS_PER_SLICE", 10)
    steps: list[str] = []

    def note(_: Services) -> bool:
        steps.append("retention")
        return False

    monkeypatch.setattr(retention, "drop_slice", note)
    with engine.begin() as connection:
        connection.execute(text(OLD_KEYS), {"count": 1_000})
        add_people(connection, [1])
        connection.execute(text("UPDATE users SET status = 'DISABLED'"))
        connection.execute(text("UPDATE activity_changes SET changed_at = now() - interval '2 h'"))
    clock = iter(range(1000))
    assert upkeep.tidy(services, seconds=8, now=lambda: next(clock))
    assert steps == ["retention"]
    assert 0 < count_keys(engine) < 1_000
    with engine.begin() as connection:
        assert planning.purge_activity_changes(connection) == 0
    while upkeep.tidy(services):
        pass
    assert count_keys(engine) == 0


@pytest.mark.parametrize("error", [TransientError("locked"), PermanentError("permission denied")])
def test_a_kind_that_cannot_go_on_keeps_no_other_from_it(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch, error: CarillonError
) -> None:
    """When retention fails, because of a lock or for want of rights, keys are deleted all the same."""

    def fail(_: Services) -> bool:
        raise error

    monkeypatch.setattr(retention, "drop_slice", fail)
    with engine.begin() as connection:
        connection.execute(text(OLD_KEYS), {"count": 100})
    assert not upkeep.tidy(services)
    assert count_keys(engine) == 0


def test_the_recount_goes_page_by_page_and_tells_what_is_wrong(
    services: Services, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The recount logs and counts drift, repairs nothing, and shows the number when it is done."""
    with engine.begin() as connection:
        persistence.persist(
            connection, accept(connection, *[a_send(receiver_id=n) for n in range(2, 900)])
        )
        connection.execute(text("UPDATE conversations SET unread_count = 9 WHERE user_id = 2"))
        recounts.start_recount(connection)
    parts = 0
    while True:
        with engine.begin() as connection:
            found = recounts.recount_slice(connection, percent=100, blocks=2)
            assert backlog.measure_backlog(connection).drifted == (
                0 if found and found.has_more else 1
            )
        parts += 1
        if found is None or not found.has_more:
            break
    assert parts > 2
    upkeep.start_recount(services)
    every = replace(services, settings=replace(services.settings, drift_sample_percent=100))
    with caplog.at_level(logging.ERROR):
        assert not upkeep.tidy(every)
    assert "user 2, conversation 1 has 9, really 1" in caplog.text
    with engine.begin() as connection:
        assert recounts.recount_slice(connection, percent=100, blocks=2) is None
        assert backlog.measure_backlog(connection).drifted == 1
        connection.execute(text("UPDATE conversations SET unread_count = 1 WHERE user_id = 2"))
    upkeep.start_recount(services)
    assert not upkeep.tidy(every)
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).drifted == 0


def test_the_recount_of_todos_tells_what_is_wrong(
    services: Services, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """To-dos that stand for no delivery, or do not stand as their card does, are logged and counted; sound ones are not."""
    every = replace(services, settings=replace(services.settings, drift_sample_percent=100))
    with engine.begin() as connection:
        cards = [a_notification(receiver_id=n, state=CardState.PENDING) for n in range(2, 602)]
        ids = accept(connection, *cards)
        persistence.persist(connection, ids)
        plain = accept(connection, a_notification(receiver_id=2))
        persistence.persist(connection, plain)

    def recount() -> int:
        caplog.clear()
        upkeep.start_recount(services)
        with caplog.at_level(logging.ERROR):
            while upkeep.tidy(every):
                pass
        with engine.begin() as connection:
            return backlog.measure_backlog(connection).drifted

    def run(statement: str, **values: int) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement), values)

    assert recount() == 0
    run("UPDATE todos SET is_open = false WHERE message_id = :id", id=ids[0])
    run("INSERT INTO todos VALUES (:id, 3, true)", id=ids[0])
    run("INSERT INTO todos VALUES (:id, 2, true)", id=plain[0])
    run("DELETE FROM deliveries WHERE message_id = :id", id=ids[9])
    run("UPDATE conversations SET unread_count = 0 WHERE user_id = 11")
    assert recount() == 4
    for user_id, id in ((2, ids[0]), (3, ids[0]), (2, plain[0]), (11, ids[9])):
        assert f"user {user_id} for message {id} is wrong" in caplog.text
    run(
        "INSERT INTO erasures (user_id, requested_by) SELECT n, 'x' FROM generate_series(1, 99) AS n"
    )
    assert recount() == 0


def test_old_acts_of_operators_are_let_go(services: Services, engine: Engine) -> None:
    """Upkeep drops rows of the audit past their days, slice after slice, and keeps the others."""
    old = (
        "INSERT INTO audit (at, who, role, act, target, request_id, address) "
        "SELECT clock_timestamp() - make_interval(days => :days), 'x', 'admin', 'x', 'x', '', '' "
        "FROM generate_series(1, 6000)"
    )
    days = services.settings.audit_retention_days
    with engine.begin() as connection:
        connection.execute(text(old), {"days": days + 1})
        connection.execute(text(old), {"days": days - 1})
    assert not upkeep.tidy(services, seconds=60)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar_one() == 6000


def test_what_is_held_is_measured(services: Services, engine: Engine) -> None:
    """Each upkeep tells Prometheus how many sends are put aside, of all apps together."""
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO held_sends (id, app_id, payload) VALUES (1, 7, '{}'), (2, 8, '{}')")
        )
    upkeep.tidy(services)
    assert services.metrics.registry.get_sample_value("carillon_held_sends") == 2
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM held_sends"))
    upkeep.tidy(services)
    assert services.metrics.registry.get_sample_value("carillon_held_sends") == 0


def test_the_last_whole_backup_is_shown(services: Services, engine: Engine) -> None:
    """Each upkeep tells Prometheus of which instant the record in the newest whole backup is; 0 while there is none."""

    def shown() -> float | None:
        upkeep.tidy(services)
        return services.metrics.registry.get_sample_value("carillon_last_backup_timestamp_seconds")

    assert shown() == 0
    for hour in (3, 4):
        as_of = f"2026-11-28T0{hour}:00:00+00:00"
        with engine.begin() as connection:
            audit.record(
                connection, A_COMMAND, act=audit.BACKED_UP, target="record", after={"as_of": as_of}
            )
    assert shown() == datetime(2026, 11, 28, 4, tzinfo=UTC).timestamp()


def test_old_events_of_apps_go(services: Services, engine: Engine) -> None:
    """Upkeep deletes events of apps that are past their time, and leaves the others."""
    with engine.begin() as connection:
        for days in (1, 31):
            connection.execute(
                text("""INSERT INTO app_events (app_id, type, data, created_at)
                        VALUES (7, 'message.failed', '{}', now() - make_interval(days => :days))"""),
                {"days": days},
            )
        connection.execute(text("INSERT INTO app_callbacks (app_id, events) VALUES (7, '{}')"))
    upkeep.tidy(services)
    with engine.begin() as connection:
        left = connection.execute(
            text("SELECT created_at > now() - interval '2 days' FROM app_events")
        )
        assert left.scalars().all() == [True]
