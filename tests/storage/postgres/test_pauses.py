"""Pauses: what an operator stopped for a while, and what lanes and reports make of it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from storage.model.errors import Invalid, NotFound
from storage.model.message import MessageStatus
from storage.model.operator import Actor, Role
from storage.model.pause import PauseKind
from storage.postgres import audit, overview, pauses
from storage.postgres.broadcasts import expansion, lane_work, planning, reports
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import lookup, persistence
from storage.postgres.pauses import PauseChange
from storage.postgres.sends import due_work, persist_lane
from tests.builders import (
    A_COMMAND,
    a_broadcast,
    a_notification,
    a_send,
    accept,
    add_app,
    add_people,
)

LEASE = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def people_and_apps(engine: Engine) -> None:
    """Two people, app 7 and app 8."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        add_app(connection, 7)
        add_app(connection, 8)


def pause(
    engine: Engine,
    kind: PauseKind,
    target: str,
    *,
    reason: str = "",
    until: datetime | None = None,
    by: str = "cli:wang",
) -> PauseChange:
    """Pause something."""
    with engine.begin() as connection:
        return pauses.pause(
            connection, kind, target, reason=reason, until=until, actor=Actor(by, Role.ADMIN)
        )


def resume(engine: Engine, kind: PauseKind, target: str) -> PauseChange:
    """Resume something."""
    with engine.begin() as connection:
        return pauses.resume(connection, kind, target, actor=A_COMMAND)


def in_an_hour() -> datetime:
    """An instant that a pause can end at."""
    return datetime.now(UTC) + timedelta(hours=1)


def end_now(engine: Engine) -> None:
    """Let the time of every pause be over."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE pauses SET until = clock_timestamp()"))


def claim(engine: Engine) -> list[int]:
    """The ids that the persist lane would claim."""
    with engine.begin() as connection:
        return list(persist_lane.claim(connection, 100).ids)


def test_the_lane_takes_nothing_while_its_queue_is_paused(engine: Engine) -> None:
    """Sends are accepted and wait, nobody is rung for them, and all go on in order after the resume."""
    with engine.begin() as connection:
        first = accept(connection, a_send())
    pause(engine, PauseKind.QUEUE, "sends")
    with engine.begin() as connection:
        second = accept(connection, a_notification(), a_broadcast())
        for id in (*first, *second):
            found = lookup.find_message(connection, id)
            assert found is not None
            assert (found.status, found.is_held) == (MessageStatus.ACCEPTED, True)
        report = reports.find_report(connection, second[1], app_id=7)
        assert report is not None
        assert report.is_held
        assert [one.is_held for one in overview.list_latest_broadcasts(connection, limit=9)] == [
            True
        ]
        assert not due_work.has_due_work(connection)
        assert not due_work.has_claimable_work(connection, outbox=True)
        assert not due_work.has_overdue_work(connection, grace=timedelta(0))
    assert claim(engine) == []
    resume(engine, PauseKind.QUEUE, "sends")
    with engine.begin() as connection:
        assert due_work.has_due_work(connection)
    assert claim(engine) == [*first, *second]


def test_a_paused_queue_of_sends_reads_no_send(engine: Engine) -> None:
    """PostgreSQL asks for the pause once and then reads nothing of `accepted`, however much waits there."""
    pause(engine, PauseKind.QUEUE, "sends")
    with engine.begin() as connection:
        asked = due_work.due_parameters(None)
        plan = connection.execute(
            text(f"EXPLAIN (ANALYZE) SELECT id FROM accepted WHERE {due_work.IS_DUE_ROW} LIMIT 1"),
            asked,
        ).scalars()
        scans = [line for line in plan if "on accepted" in line]
    assert scans, "The plan names no scan of accepted."
    assert all("never executed" in line for line in scans), scans


def test_a_paused_queue_of_broadcasts_goes_on_chunk_by_chunk_later(engine: Engine) -> None:
    """No slice is planned and no chunk expanded during the pause; reports say that it is held."""
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
        persistence.persist(connection, [id])
    pause(engine, PauseKind.QUEUE, "broadcasts")
    with engine.begin() as connection:
        assert planning.plan_next(connection, PlanLimits(1)) is None
        assert not lane_work.has_due_work(connection)
        report = reports.find_report(connection, id, app_id=7)
    assert report is not None
    assert report.is_held
    resume(engine, PauseKind.QUEUE, "broadcasts")
    with engine.begin() as connection:
        assert planning.plan_next(connection, PlanLimits(1)) is not None
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is not None
    pause(engine, PauseKind.QUEUE, "broadcasts")
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is None
    resume(engine, PauseKind.QUEUE, "broadcasts")
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is not None


def test_only_the_paused_apps_broadcast_is_held(engine: Engine) -> None:
    """The broadcast of a paused app is passed over; that of another is planned and expanded."""
    with engine.begin() as connection:
        ids = accept(connection, a_broadcast(), a_broadcast(app_id=8, sent_by_app_id=8))
        persistence.persist(connection, ids)
    pause(engine, PauseKind.APP, "app_7")
    with engine.begin() as connection:
        planned = planning.plan_next(connection, PlanLimits(10))
        assert planned is not None
        assert planned.app_id == 8
    with engine.begin() as connection:
        assert planning.plan_next(connection, PlanLimits(10)) is None
        mine = reports.find_report(connection, ids[0], app_id=7)
        other = reports.find_report(connection, ids[1], app_id=8)
    assert mine is not None
    assert other is not None
    assert (mine.is_held, other.is_held) == (True, False)


def test_a_pause_ends_by_itself(engine: Engine) -> None:
    """At its time a pause stops nothing any more, and the sweep's look removes and names it."""
    pause(engine, PauseKind.QUEUE, "sends", until=in_an_hour())
    with engine.begin() as connection:
        sent = accept(connection, a_send())
    assert claim(engine) == []
    end_now(engine)
    assert claim(engine) == sent
    with engine.begin() as connection:
        assert pauses.list_pauses(connection) == []
        assert [one.target for one in pauses.end_expired(connection)] == ["sends"]
        assert pauses.end_expired(connection) == []


def test_pausing_again_changes_the_reason_and_the_end(engine: Engine) -> None:
    """Since when it is paused stays; who, why and until when are those of the last who said so."""
    first = pause(engine, PauseKind.APP, "app_7", reason="too many", by="cli:li").after
    end = in_an_hour()
    change = pause(engine, PauseKind.APP, "app_7", reason="still", until=end, by="cli:wang")
    assert first is not None
    assert change.before == first
    assert change.after is not None
    assert change.after.paused_at == first.paused_at
    assert (change.after.reason, change.after.until, change.after.paused_by) == (
        "still",
        end,
        "cli:wang",
    )
    end_now(engine)
    again = pause(engine, PauseKind.APP, "app_7")
    assert again.before is None
    assert again.after is not None
    assert again.after.paused_at > first.paused_at


def test_resuming_what_is_not_paused_changes_nothing(engine: Engine) -> None:
    """A second resume finds no pause and is no error."""
    pause(engine, PauseKind.APP, "app_7")
    assert resume(engine, PauseKind.APP, "app_7").before is not None
    assert resume(engine, PauseKind.APP, "app_7").before is None


@pytest.mark.parametrize(
    ("kind", "target", "said"),
    [
        (PauseKind.APP, "app_77", "Did you mean app_7"),
        (PauseKind.APP, "zzz", "carillon app list"),
        (PauseKind.QUEUE, "send", "sends or broadcasts"),
    ],
)
def test_what_is_not_there_cannot_be_paused(
    engine: Engine, kind: PauseKind, target: str, said: str
) -> None:
    """An unknown app or queue is refused with what was probably meant."""
    with pytest.raises(NotFound, match=said):
        pause(engine, kind, target)


def test_upkeep_and_the_past_are_refused(engine: Engine) -> None:
    """The queue of the sweep cannot be paused, nor can a pause end before it begins."""
    with pytest.raises(Invalid, match="upkeep cannot be paused"):
        pause(engine, PauseKind.QUEUE, "upkeep")
    with pytest.raises(Invalid, match="not in the future"):
        pause(engine, PauseKind.QUEUE, "sends", until=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(Invalid, match="characters"):
        pause(engine, PauseKind.QUEUE, "sends", reason="x" * 501)
    with engine.begin() as connection:
        assert pauses.list_pauses(connection) == []


def test_two_operators_who_pause_at_once_do_it_one_after_the_other(engine: Engine) -> None:
    """The second sees the first one's pause as what was before."""
    changes: dict[str, PauseChange] = {}
    with engine.begin() as connection:
        changes["li"] = pauses.pause(
            connection, PauseKind.QUEUE, "sends", reason="a", until=None, actor=A_COMMAND
        )

        def pause_too() -> None:
            changes["wang"] = pause(engine, PauseKind.QUEUE, "sends", reason="b", by="cli:wang")

        second = threading.Thread(target=pause_too)
        second.start()
    second.join(timeout=30)
    assert changes["li"].before is None
    assert changes["wang"].before == changes["li"].after
    with engine.begin() as connection:
        [left] = pauses.list_pauses(connection)
    assert left.reason == "b"


def test_the_audit_names_who_paused_resumed_and_what_ended_by_itself(engine: Engine) -> None:
    """Each change has a row in its own transaction, with the reason and the end before and after; no change has none."""
    pause(engine, PauseKind.APP, "app_7", reason="too loud", by="cli:li")
    pause(engine, PauseKind.APP, "app_7", until=in_an_hour(), by="cli:wang")
    end_now(engine)
    with engine.begin() as connection:
        pauses.end_expired(connection)
    resume(engine, PauseKind.APP, "app_7")
    with engine.begin() as connection:
        rows = audit.list_rows(connection, limit=10)
    assert [(row.who, row.act, row.target) for row in rows] == [
        ("carillon", "pause.end", "app app_7"),
        ("cli:wang", "pause.set", "app app_7"),
        ("cli:li", "pause.set", "app app_7"),
    ]
    assert rows[2].before is None
    assert rows[1].before == {"reason": "too loud", "until": None} == rows[2].after
    assert rows[0].after is None
