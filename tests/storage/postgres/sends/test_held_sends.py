"""What a held app has sent waits: neither lost nor delivered, in nobody's way, and in its order afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from storage.model.broadcast import BroadcastStatus
from storage.model.message import MessageStatus
from storage.model.pause import PauseKind
from storage.postgres import held_apps, overview, pauses
from storage.postgres.broadcasts import reports
from storage.postgres.messages import lookup, persistence
from storage.postgres.people import apps
from storage.postgres.sends import backlog, due_work, held_sends, persist_lane, withdrawals
from tests.builders import (
    A_COMMAND,
    a_broadcast,
    a_notification,
    a_send,
    accept,
    add_app,
    add_people,
)


@pytest.fixture(autouse=True)
def people_and_apps(engine: Engine) -> None:
    """Two people, app 7 and app 8."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        add_app(connection, 7)
        add_app(connection, 8)


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


def send(engine: Engine, number: int = 1, *, app: int = 7) -> list[int]:
    """Live notifications of an app to person 2; returns their ids."""
    with engine.begin() as connection:
        return accept(
            connection, *[a_notification(sent_by_app_id=app, app_id=app) for _ in range(number)]
        )


def enable(engine: Engine, *, is_active: bool) -> None:
    """Enable or disable app 7; if it is disabled, it has been for a while."""
    with engine.begin() as connection:
        apps.set_active(connection, 7, is_active=is_active)
        _let_time_pass(connection)


def pause(engine: Engine) -> None:
    """Pause app 7, a while ago."""
    with engine.begin() as connection:
        pauses.pause(connection, PauseKind.APP, "app_7", reason="", until=None, actor=A_COMMAND)
        _let_time_pass(connection)


def _let_time_pass(connection: Connection) -> None:
    connection.execute(text("UPDATE held_apps SET held_at = held_at - interval '10s'"))


def resume(engine: Engine) -> None:
    """Resume app 7."""
    with engine.begin() as connection:
        pauses.resume(connection, PauseKind.APP, "app_7", actor=A_COMMAND)


def hold(engine: Engine, *, limit: int = 100) -> int:
    """Put a slice aside."""
    with engine.begin() as connection:
        return held_sends.hold(connection, limit=limit)


def release(engine: Engine, *, limit: int = 100) -> int:
    """Take a slice back, and let the rest of a drained app go on, as the sweep does."""
    with engine.begin() as connection:
        released = held_sends.release(connection, limit=limit)
    with engine.begin() as connection:
        held_apps.update_held_apps(connection)
    return released


def claim(engine: Engine) -> list[int]:
    """The ids that the persist lane would claim; the claim is ended again."""
    with engine.begin() as connection:
        ids = list(persist_lane.claim(connection, 100).ids)
        persist_lane.end_claim(connection)
        return ids


def persist(engine: Engine) -> list[int]:
    """Persist what the lane would claim; returns the ids in their order."""
    ids = claim(engine)
    with engine.begin() as connection:
        return [one.message.id for one in persistence.persist(connection, ids)]


def status(engine: Engine, id: int) -> tuple[MessageStatus, bool]:
    """The status of a message, and whether it is held."""
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
    assert found is not None
    return found.status, found.is_held


def test_what_a_disabled_app_has_under_way_is_not_delivered_before_it_is_enabled(
    engine: Engine,
) -> None:
    """A disabled app's scheduled sends and what it sent just before wait; other apps and people go on."""
    held, others = schedule_sends(engine, 3), schedule_sends(engine, 1, app=8)
    live = send(engine)
    enable(engine, is_active=False)
    with engine.begin() as connection:
        letter = accept(connection, a_send())
    assert claim(engine) == [*others, *letter]
    assert hold(engine, limit=2) == 2
    assert hold(engine, limit=2) == 2
    assert release(engine) == 0
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).scheduled_due == 1
    assert {status(engine, id) for id in held} == {(MessageStatus.SCHEDULED, True)}
    assert status(engine, live[0]) == (MessageStatus.ACCEPTED, True)
    enable(engine, is_active=True)
    assert release(engine) == 4
    assert set(persist(engine)) == {*held, *live, *letter, *others}
    assert status(engine, held[0]) == (MessageStatus.DELIVERED, False)


def test_what_a_paused_app_sends_waits_and_keeps_its_order(engine: Engine) -> None:
    """Sends made before, during and after the pause are persisted in the order in which they were accepted."""
    before = send(engine, 3)
    pause(engine)
    during = send(engine, 3)
    assert claim(engine) == []
    assert hold(engine) == 6
    resume(engine)
    after = send(engine, 2)
    assert claim(engine) == []
    persisted = []
    while release(engine, limit=2):
        persisted += persist(engine)
    persisted += persist(engine)
    assert persisted == [*before, *during, *after]


def test_nothing_waits_that_was_never_put_aside(engine: Engine) -> None:
    """A pause that ends before anything was moved lets everything go on at once."""
    pause(engine)
    sent = send(engine, 2)
    assert claim(engine) == []
    resume(engine)
    assert claim(engine) == sent


def test_an_app_that_is_paused_again_while_it_is_released_is_held_again(engine: Engine) -> None:
    """What was released and not persisted yet goes back to the rest, and comes out in order later."""
    pause(engine)
    sent = send(engine, 6)
    hold(engine)
    resume(engine)
    assert release(engine, limit=2) == 2
    pause(engine)
    assert claim(engine) == []
    assert hold(engine) == 2
    resume(engine)
    assert release(engine) == 6
    assert persist(engine) == sent


def test_a_send_in_the_hands_of_the_lane_is_left_to_it(engine: Engine) -> None:
    """What the lane claimed before the pause is not moved from under its hands: it would come after later ones."""
    sent = send(engine, 4)
    with engine.begin() as connection:
        claimed = list(persist_lane.claim(connection, 2).ids)
    pause(engine)
    assert hold(engine) == 2
    with engine.begin() as connection:
        assert [one.message.id for one in persistence.persist(connection, claimed)] == sent[:2]


def test_an_app_is_held_for_a_second_before_its_sends_are_moved(engine: Engine) -> None:
    """A claim that is being made when the pause begins has been written before anything is moved."""
    send(engine)
    with engine.begin() as connection:
        pauses.pause(connection, PauseKind.APP, "app_7", reason="", until=None, actor=A_COMMAND)
    assert hold(engine) == 0
    assert claim(engine) == []


def test_a_held_broadcast_can_be_looked_up_listed_and_cancelled(engine: Engine) -> None:
    """The report, the message and the lists find a broadcast of a paused app, and say that it is held."""
    pause(engine)
    with engine.begin() as connection:
        first, second = accept(connection, a_broadcast(), a_broadcast())
    assert hold(engine) == 2
    with engine.begin() as connection:
        report = reports.find_report(connection, first, app_id=7)
        listed = reports.list_reports(connection, 7, limit=10)
        lines = overview.list_latest_broadcasts(connection, limit=10)
        assert [one.id for one in overview.list_latest_broadcasts(connection, limit=1)] == [second]
        assert overview.list_latest_broadcasts(connection, limit=9, app_id=8) == []
    assert report is not None
    assert (report.status, report.is_held) == (BroadcastStatus.PENDING, True)
    assert [(one.id, one.is_held) for one in listed] == [(second, True), (first, True)]
    assert [(one.id, one.is_held) for one in lines] == [(second, True), (first, True)]
    assert status(engine, first) == (MessageStatus.ACCEPTED, True)
    with engine.begin() as connection:
        withdrawals.check_broadcast(connection, first)
        assert withdrawals.withdraw(connection, first, status=BroadcastStatus.CANCELLED)
    resume(engine)
    assert release(engine) == 1
    assert persist(engine) == [second]
    assert status(engine, first) == (MessageStatus.CANCELLED, False)


def test_what_is_held_can_be_taken_back(engine: Engine) -> None:
    """A held send that was recalled is not delivered when its app is enabled again."""
    [id] = schedule_sends(engine, 1)
    enable(engine, is_active=False)
    hold(engine)
    with engine.begin() as connection:
        assert withdrawals.withdraw(connection, id)
    enable(engine, is_active=True)
    assert release(engine) == 0
    assert status(engine, id) == (MessageStatus.RECALLED, False)


def test_a_held_send_counts_as_waiting(engine: Engine) -> None:
    """A request that waits for its message goes on waiting while the message is put aside."""
    pause(engine)
    sent = send(engine)
    hold(engine)
    with engine.begin() as connection:
        assert backlog.find_waiting(connection, sent) == set(sent)


def test_nothing_is_released_while_the_queue_is_paused_or_the_lane_has_enough(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is put aside stays there as long as it would only lie in the intake."""
    pause(engine)
    sent = send(engine, 3)
    hold(engine)
    resume(engine)
    with engine.begin() as connection:
        pauses.pause(connection, PauseKind.QUEUE, "sends", reason="", until=None, actor=A_COMMAND)
    assert release(engine) == 0
    with engine.begin() as connection:
        pauses.resume(connection, PauseKind.QUEUE, "sends", actor=A_COMMAND)
    monkeypatch.setattr(held_sends, "_ENOUGH", 2)
    assert release(engine, limit=2) == 2
    assert release(engine, limit=2) == 0
    assert persist(engine) == sent[:2]
    assert release(engine, limit=2) == 1
    assert persist(engine) == sent[2:]


def test_with_no_app_held_the_sweep_reads_no_send(engine: Engine) -> None:
    """Looking for something to put aside costs nothing in a deployment in which nothing is held."""
    send(engine, 5)
    with engine.begin() as connection:
        asked = due_work.due_parameters(None) | {"limit": 100}
        plan = connection.execute(text(f"EXPLAIN (ANALYZE) {held_sends._HOLD.text}"), asked)
        lines = list(plan.scalars())
    scans = [line for line in lines if "Scan" in line and "on accepted" in line]
    assert any("never executed" in line for line in scans), lines
    assert not any("Rows Removed" in line for line in lines), lines


def test_a_million_held_sends_are_not_read_by_the_lane_or_the_sweep(engine: Engine) -> None:
    """With many sends aside, claiming and looking for work read none of them, and a slice reads its own rows only."""
    pause(engine)
    with engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO held_sends (id, app_id, payload)
            SELECT n, 7, '{}' FROM generate_series(1, 300000) n""")
        )
        connection.execute(text("ANALYZE held_sends"))
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    before = _count_reads(engine)
    assert claim(engine) == []
    assert hold(engine) == 0
    assert release(engine) == 0
    with engine.begin() as connection:
        backlog.measure_backlog(connection)
        held_apps.update_held_apps(connection)
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    assert _count_reads(engine) - before < 50


def _count_reads(engine: Engine) -> int:
    """How many rows of `held_sends` were read, by scans of any kind."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with engine.begin() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
                    " WHERE relname = 'held_sends'"
                )
            ).scalar_one()
        )
