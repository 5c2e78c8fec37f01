"""Reports of broadcasts: their status, and lists of them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from storage.model.broadcast import (
    BroadcastStatus,
)
from storage.model.message import MessageStatus
from storage.postgres.broadcasts import (
    cancellation,
    expansion,
    planning,
    recalls,
    reports,
)
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import lookup, persistence
from storage.postgres.sends.failed_sends import move_to_failed
from tests.builders import a_broadcast, accept, add_people
from tests.storage.postgres.broadcasts.steps import LEASE, expand_all, plan_all, report


def test_reports_are_the_apps_own_newest_first(engine: Engine) -> None:
    """An app sees its own broadcasts only, newest first; a page goes on before the last id of the one before."""
    ids = [plan_all(engine) for _ in range(3)]
    with engine.begin() as connection:
        assert reports.find_report(connection, ids[0], app_id=8) is None
        assert reports.list_reports(connection, 8, limit=10) == []
        page = reports.list_reports(connection, 7, limit=2)
        rest = reports.list_reports(connection, 7, limit=2, before_id=page[-1].id)
    assert [r.id for r in page + rest] == ids[::-1]


def cancel(engine: Engine, id: int) -> None:
    """As the door does it."""
    for step in (cancellation.cancel, cancellation.discard_waiting):
        with engine.begin() as connection:
            step(connection, id)


def test_a_dead_letter_is_a_failed_broadcast(engine: Engine) -> None:
    """A broadcast that could not be persisted is reported as FAILED, not lost."""
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
        move_to_failed(connection, [id])
        assert report(connection, id).status is BroadcastStatus.FAILED
        assert [r.id for r in reports.list_reports(connection, 7, limit=5)] == [id]


def test_a_broadcast_is_not_delivered_before_it_is_done(engine: Engine) -> None:
    """The status of a broadcast's message is ACCEPTED until everyone has it, and then as its report says."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
        [id, stopped] = accept(connection, a_broadcast(), a_broadcast())

        def status(id: int) -> MessageStatus:
            found = lookup.find_message(connection, id)
            assert found is not None
            return found.status

        seen = [status(id)]
        persistence.persist(connection, [id, stopped])
        seen.append(status(id))
        planning.plan_next(connection, PlanLimits(10))
        seen.append(status(id))
        chunk = expansion.expand_next(connection, lease=LEASE)
        assert chunk
        expansion.mark_published(connection, chunk)
        seen.append(status(id))
        assert seen == [MessageStatus.ACCEPTED] * 4
        expand_all(connection)
        assert status(id) is MessageStatus.DELIVERED
        cancellation.cancel(connection, stopped)
        assert status(stopped) is MessageStatus.CANCELLED
        recalls.start_recall(connection, id)
        assert status(id) is MessageStatus.RECALLED


def test_a_list_is_in_the_order_of_acceptance_whatever_is_scheduled(engine: Engine) -> None:
    """A scheduled broadcast does not hide the one just sent; pages go on also behind a broadcast that is gone."""
    later = datetime.now(UTC) + timedelta(days=30)
    with engine.begin() as connection:
        [scheduled] = accept(connection, a_broadcast(send_at=later, unresolved=("x",)))
    ids = [plan_all(engine) for _ in range(3)]
    with engine.begin() as connection:
        [failed] = accept(connection, a_broadcast())
        move_to_failed(connection, [failed])
        newest = [failed, *reversed(ids), scheduled]
        found, before = [], None
        while page := reports.list_reports(connection, 7, limit=2, before_id=before):
            found += page
            before = page[-1].id
        assert [one.id for one in found] == newest
        assert {one.unresolved for one in found} == {()}
        # A page goes on after an id that is not there any more, or never was.
        for gone in (ids[1] - 1, 2**63 - 1):
            page = reports.list_reports(connection, 7, limit=9, before_id=gone)
            assert [one.id for one in page] == [i for i in newest if i in (ids[0], scheduled)] * (
                gone == ids[1] - 1
            ) + newest * (gone == 2**63 - 1)
        for unborn in (0, -1, -(2**63)):
            assert reports.list_reports(connection, 7, limit=9, before_id=unborn) == []
        done = reports.list_reports(connection, 7, limit=9, status=BroadcastStatus.SCHEDULED)
        assert [one.id for one in done] == [scheduled]
