"""Broadcasts: exactly the frozen audience, exactly once, and DONE only when it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from ops.local.polling import wait_until
from storage.model.broadcast import (
    BroadcastReport,
    BroadcastStatus,
    Chunk,
    ChunkState,
    UnreadPerson,
)
from storage.model.message import MessageStatus
from storage.model.send import Send
from storage.postgres.broadcasts import (
    cancellation,
    expansion,
    failures,
    lane_work,
    planning,
    readers,
    recalls,
    reports,
)
from storage.postgres.broadcasts.planning import PlanLimits, PlannedSlice
from storage.postgres.broadcasts.readers import ReadCount
from storage.postgres.messages import conversations, lookup, persistence
from storage.postgres.sends.backlog import measure_backlog
from storage.postgres.sends.failed_sends import move_to_failed
from tests.builders import a_broadcast, accept, add_app, add_people
from tests.counters import find_drift

LEASE = timedelta(seconds=30)


def planned(engine: Engine, send: Send | None = None, *, chunk_size: int = 10) -> int:
    """A persisted and planned broadcast; its id."""
    with engine.begin() as connection:
        [id] = accept(connection, send or a_broadcast())
        persistence.persist(connection, [id])
        done = planning.plan_next(connection, PlanLimits(chunk_size, people=chunk_size * 1000))
        assert done == PlannedSlice(id, 7, is_complete=True)
        return id


def expand_all(connection: Connection) -> int:
    """Expand and mark every open chunk; how many."""
    done = 0
    while chunk := expansion.expand_next(connection, lease=LEASE):
        expansion.mark_published(connection, chunk)
        done += 1
    return done


def report(connection: Connection, id: int) -> BroadcastReport:
    """The report that its app gets."""
    found = reports.find_report(connection, id, app_id=7)
    assert found is not None
    return found


def test_everyone_active_gets_one_copy(engine: Engine) -> None:
    """Every active person, and nobody who is disabled or deleted."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 26))
        add_people(connection, [30], status="DISABLED")
        add_people(connection, [31], is_deleted=True)
    id = planned(engine)
    with engine.begin() as connection:
        assert report(connection, id).status is BroadcastStatus.EXPANDING
        assert expand_all(connection) == 3
        done = report(connection, id)
        assert (done.status, done.total, done.expanded) == (BroadcastStatus.DONE, 25, 25)
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == list(range(1, 26))
        assert find_drift(connection) == []
        assert reports.find_ended(connection, [id]) == {id: True}


def test_the_audience_is_frozen_when_it_is_planned(engine: Engine) -> None:
    """People who join or leave after the plan change nothing (fault row 20)."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = planned(engine)
    with engine.begin() as connection:
        add_people(connection, [11, 12])
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 3"))
        expand_all(connection)
        assert report(connection, id).total == 10
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == list(range(1, 11))


def test_who_joined_after_the_accept_is_not_in(engine: Engine) -> None:
    """The audience is who was there when it was accepted, though it is planned later."""
    with engine.begin() as connection:
        add_people(connection, [1])
        [id] = accept(connection, a_broadcast())
        connection.execute(text("INSERT INTO users (id) VALUES (2)"))
        connection.execute(text("UPDATE users SET created_at = clock_timestamp() WHERE id = 2"))
        persistence.persist(connection, [id])
        planning.plan_next(connection, PlanLimits(10))
        assert report(connection, id).total == 1


def test_a_list_is_the_audience_when_one_is_given(engine: Engine) -> None:
    """Only active people on the list; what was unresolved is reported."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = planned(engine, a_broadcast(audience=(2, 4, 99), unresolved=("99",)))
    with engine.begin() as connection:
        expand_all(connection)
        done = report(connection, id)
    assert (done.total, done.unresolved) == (2, ("99",))


def test_a_broadcast_to_nobody_is_done_at_once(engine: Engine) -> None:
    """With an empty audience nothing is left open."""
    id = planned(engine)
    with engine.begin() as connection:
        assert report(connection, id).status is BroadcastStatus.DONE


def test_the_backlog_says_how_many_people_are_left(engine: Engine) -> None:
    """Broadcasts under way, and the people of their waiting chunks; none when they are done."""
    with engine.begin() as connection:
        add_people(connection, range(1, 26))
    planned(engine)
    with engine.begin() as connection:
        before = measure_backlog(connection)
        expand_all(connection)
        after = measure_backlog(connection)
    assert (before.broadcasts, before.people_left) == (1, 25)
    assert (after.broadcasts, after.people_left) == (0, 0)


def test_a_chunk_claimed_many_times_is_expanded_once(engine: Engine) -> None:
    """Lanes that race for the same chunk insert its deliveries once (fault row 18)."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = planned(engine)

    def race(number: int) -> bool:
        with engine.begin() as connection:
            return (
                expansion.expand_chunk(connection, Chunk(id, number % 10, 7, ()), lease=LEASE)
                is not None
            )

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(30)))
    assert sum(won) == 10
    with engine.begin() as connection:
        count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == 100
        assert find_drift(connection) == []


def test_a_chunk_that_was_not_published_is_taken_up_when_its_lease_is_over(engine: Engine) -> None:
    """A lane that died between commit and publish: the event goes out, nothing is inserted again."""
    with engine.begin() as connection:
        add_people(connection, [1])
    id = planned(engine)
    with engine.begin() as connection:
        chunk = expansion.expand_next(connection, lease=LEASE)
        assert chunk is not None
        assert expansion.expand_next(connection, lease=LEASE) is None
        assert expansion.claim_unpublished(connection, lease=LEASE) is None
        assert report(connection, id).status is BroadcastStatus.EXPANDING
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))
        assert expansion.claim_unpublished(connection, lease=LEASE) == chunk
        expansion.mark_published(connection, chunk)
        assert report(connection, id).status is BroadcastStatus.DONE


def test_a_broadcast_is_not_done_while_a_chunk_fails(engine: Engine) -> None:
    """It stays EXPANDING, says how many chunks fail and why, and is DONE when they went through."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = planned(engine)
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
    """FAILED for good, as versions before wrote it: `retry` opens it again, and it ends DONE."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = planned(engine)
    with engine.begin() as connection:
        expand_all(connection)
        connection.execute(text("DELETE FROM deliveries WHERE user_id <= 10"))
        connection.execute(text("UPDATE broadcasts SET status = 'FAILED'"))
        given_up = "UPDATE broadcast_chunks SET state = 'failed', error = 'no' WHERE number = 0"
        connection.execute(text(given_up))
        assert failures.retry_failing(connection, id) == 1
        expand_all(connection)
        assert report(connection, id).status is BroadcastStatus.DONE


def test_read_counts_who_has_read_it(engine: Engine) -> None:
    """`read` is the number of people whose copy is read, at most a minute old."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = planned(engine)
    with engine.begin() as connection:
        expand_all(connection)
        conversations.mark_all_read(connection, 3)
        assert readers.start_count(connection, id, app_id=7)
        counted = readers.count_reads(connection, id)
        assert counted == ReadCount(1, 10)
        assert readers.count_reads(connection, id, after_user_id=10) == ReadCount(0, None)
        readers.store_count(connection, id, count=1)
        assert report(connection, id).read == 1
        assert not readers.start_count(connection, id, app_id=7)
        connection.execute(text("UPDATE broadcasts SET read_counted_at = now() - interval '2m'"))
        assert readers.start_count(connection, id, app_id=7)


def test_reports_are_the_apps_own_newest_first(engine: Engine) -> None:
    """Another app sees nothing; a page continues before the last id of the one before."""
    ids = [planned(engine) for _ in range(3)]
    with engine.begin() as connection:
        assert reports.find_report(connection, ids[0], app_id=8) is None
        assert reports.list_reports(connection, 8, limit=10) == []
        page = reports.list_reports(connection, 7, limit=2)
        rest = reports.list_reports(connection, 7, limit=2, before_id=page[-1].id)
    assert [r.id for r in page + rest] == ids[::-1]


def expanded_apps(connection: Connection, count: int) -> list[int]:
    """The apps whose chunks one lane takes, in order, as a lane takes turns."""
    taken: list[int] = []
    while len(taken) < count:
        after = taken[-1] if taken else 0
        chunk = expansion.expand_next(connection, after_app_id=after, lease=LEASE)
        if chunk is None:
            chunk = expansion.expand_next(connection, after_app_id=0, lease=LEASE)
        assert chunk is not None
        taken.append(chunk.app_id)
    return taken


def test_apps_take_turns_chunk_by_chunk(engine: Engine) -> None:
    """A burst of small broadcasts of one app and a big one of another get a chunk each, in turn."""
    with engine.begin() as connection:
        add_people(connection, range(1, 61))
    with engine.begin() as connection:
        small = [a_broadcast(audience=(1, 2)) for _ in range(30)]
        ids = accept(connection, *small, a_broadcast(sent_by_app_id=8, app_id=8))
        persistence.persist(connection, ids)
        planned_apps: list[int] = []
        while done := planning.plan_next(
            connection, PlanLimits(10), after_app_id=planned_apps[-1] % 8 if planned_apps else 0
        ):
            planned_apps.append(done.app_id)
        # Of the burst one at a time is planned: the rest waits, and costs nothing.
        assert planned_apps.count(7) == 1
        assert set(planned_apps) == {7, 8}
        assert expanded_apps(connection, 2) == [7, 8]
        planning.plan_next(connection, PlanLimits(10))
        assert expanded_apps(connection, 2) == [7, 8]


def test_the_audience_is_of_the_acceptance_however_late_it_is_planned(engine: Engine) -> None:
    """Who is disabled, enabled, deleted or added between acceptance and any slice changes nothing."""
    active, shut = set(range(1, 41)), {50, 51, 52}
    with engine.begin() as connection:
        add_people(connection, active)
        add_people(connection, shut, status="DISABLED")
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
    change = "UPDATE users SET status = :status WHERE id = :id"
    with engine.begin() as connection:
        persistence.persist(connection, [id])
        for user, *statuses in (
            (3, "DISABLED"),
            (4, "DISABLED", "ACTIVE"),
            (5, "DISABLED", "ACTIVE", "DISABLED"),
            (50, "ACTIVE"),
            (51, "ACTIVE", "DISABLED"),
            (52, "DISABLED", "ACTIVE", "DISABLED", "ACTIVE"),
        ):
            for status in statuses:
                connection.execute(text(change), {"id": user, "status": status})
        connection.execute(text("UPDATE users SET is_deleted = true WHERE id = 6"))
        connection.execute(
            text("INSERT INTO users (id, created_at) VALUES (60, clock_timestamp())")
        )
    slices = 0
    while True:
        with engine.begin() as connection:
            done = planning.plan_next(connection, PlanLimits(5, people=10))
            slices += 1
            connection.execute(text(change), {"id": 40 - slices, "status": "DISABLED"})
        if done is None or done.is_complete:
            break
    assert slices == 5
    with engine.begin() as connection:
        assert expand_all(connection) == 8
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == sorted(active)
        assert report(connection, id).total == len(active)


def test_a_named_audience_is_of_the_acceptance_too(engine: Engine) -> None:
    """A list is judged as of the acceptance, and named twice is once."""
    with engine.begin() as connection:
        add_people(connection, range(1, 31))
        add_people(connection, [40], status="DISABLED")
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast(audience=(9, 3, 3, 40, 21, 15)))
    with engine.begin() as connection:
        persistence.persist(connection, [id])
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 9"))
        connection.execute(text("UPDATE users SET status = 'ACTIVE' WHERE id = 40"))
    done = None
    while done is None or not done.is_complete:
        with engine.begin() as connection:
            done = planning.plan_next(connection, PlanLimits(1, people=2))
    with engine.begin() as connection:
        expand_all(connection)
        users = connection.execute(text("SELECT user_id FROM deliveries ORDER BY user_id"))
        assert list(users.scalars()) == [3, 9, 15, 21]


def test_changes_of_people_are_forgotten_when_nothing_can_ask(engine: Engine) -> None:
    """As long as a broadcast accepted before them may be planned, they stay."""
    with engine.begin() as connection:
        add_people(connection, [1, 2])
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 1"))
        connection.execute(text("UPDATE activity_changes SET changed_at = now() - interval '2 h'"))
        connection.execute(text("UPDATE accepted SET accepted_at = now() - interval '3 h'"))
        assert planning.purge_activity_changes(connection) == 0
        persistence.persist(connection, [id])
        assert planning.purge_activity_changes(connection) == 0
        planning.plan_next(connection, PlanLimits(10))
        assert planning.purge_activity_changes(connection) == 1


def cancel(engine: Engine, id: int) -> None:
    """As the door does it."""
    for step in (cancellation.cancel, cancellation.discard_waiting):
        with engine.begin() as connection:
            step(connection, id)


def test_what_is_not_expanded_when_it_is_cancelled_never_is(engine: Engine) -> None:
    """The report says exactly what is in the histories; cancelling again changes nothing."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = planned(engine)
    with engine.begin() as connection:
        chunks = [expansion.expand_next(connection, lease=LEASE) for _ in range(4)]
        assert chunks[-1] is not None
        expansion.mark_published(connection, chunks[-1])
    for _ in range(2):
        cancel(engine, id)
        with engine.begin() as connection:
            assert expansion.expand_next(connection, lease=LEASE) is None
            stopped = report(connection, id)
            assert (stopped.status, stopped.total) == (BroadcastStatus.CANCELLED, 100)
            count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
            assert count == stopped.expanded == 40
            assert find_drift(connection) == []
    with engine.begin() as connection:
        # What was delivered and not yet told of still is.
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))
        assert lane_work.has_due_work(connection)
        assert expansion.claim_unpublished(connection, lease=LEASE) is not None


def test_a_cancel_waits_for_the_chunk_that_is_being_expanded(engine: Engine) -> None:
    """A lane in the middle of a chunk finishes it; when the cancel returns the report is final."""
    with engine.begin() as connection:
        add_people(connection, range(1, 101))
    id = planned(engine)
    with ThreadPoolExecutor(1) as pool, engine.connect() as lane:
        assert expansion.expand_next(lane, lease=LEASE) is not None
        waiting = pool.submit(cancel, engine, id)

        def is_blocked() -> bool:
            with engine.begin() as connection:
                count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                return bool(connection.execute(text(count)).scalar())

        assert wait_until(is_blocked, seconds=10)
        assert not waiting.done()
        lane.commit()
        waiting.result(timeout=10)
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is None
        assert report(connection, id).expanded == 10


def test_cancelled_under_lanes_that_race(engine: Engine) -> None:
    """Lanes at full speed, a cancel at some instant: nothing is expanded after it returned."""
    with engine.begin() as connection:
        add_people(connection, range(1, 401))
    id = planned(engine, chunk_size=5)

    def lane(_: int) -> None:
        done = True
        while done:
            with engine.begin() as connection:
                chunk = expansion.expand_next(connection, lease=LEASE)
            with engine.begin() as connection:
                done = chunk is not None
                if chunk:
                    expansion.mark_published(connection, chunk)

    with ThreadPoolExecutor(4) as pool:
        lanes = [pool.submit(lane, number) for number in range(4)]
        assert wait_until(lambda: expanded(engine, id) > 50, seconds=20)
        cancel(engine, id)
        at_return = expanded(engine, id)
        for one in lanes:
            one.result(timeout=20)
    with engine.begin() as connection:
        count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == at_return == report(connection, id).expanded
        assert find_drift(connection) == []


def expanded(engine: Engine, id: int) -> int:
    """How many have it."""
    with engine.begin() as connection:
        return report(connection, id).expanded


def test_a_scheduled_broadcast_is_listed_and_cancelled(engine: Engine) -> None:
    """SCHEDULED until it is due, in report and list; cancelled it is never delivered."""
    later = datetime.now(UTC) + timedelta(days=2)
    with engine.begin() as connection:
        add_people(connection, [1])
        [soon, due] = accept(connection, a_broadcast(), a_broadcast(send_at=later))
        listed = reports.list_reports(connection, 7, limit=10)
        assert [(r.id, r.status) for r in listed] == [
            (due, BroadcastStatus.SCHEDULED),
            (soon, BroadcastStatus.PENDING),
        ]
    for id in (soon, due):
        cancel(engine, id)
    with engine.begin() as connection:
        assert persistence.persist(connection, [soon, due]) == []
        listed = reports.list_reports(connection, 7, limit=10)
        assert {r.status for r in listed} == {BroadcastStatus.CANCELLED}
        found = lookup.find_message(connection, due)
        assert found is not None and found.status is MessageStatus.CANCELLED


def test_a_dead_letter_is_a_failed_broadcast(engine: Engine) -> None:
    """A broadcast that could not be persisted is reported as FAILED, not lost."""
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
        move_to_failed(connection, [id])
        assert report(connection, id).status is BroadcastStatus.FAILED
        assert [r.id for r in reports.list_reports(connection, 7, limit=5)] == [id]


def test_who_has_not_read_it_page_by_page(engine: Engine) -> None:
    """By user id, with the app's account; nobody twice, nobody left out."""
    with engine.begin() as connection:
        add_people(connection, range(1, 31))
        connection.execute(
            text("INSERT INTO mappings (app_id, app_user_id, user_id) VALUES (7, 'zhang', 2)")
        )
    id = planned(engine, chunk_size=4)
    with engine.begin() as connection:
        expand_all(connection)
        for user in (1, 5, 6, 7, 8, 30):
            conversations.mark_all_read(connection, user)
        found: list[UnreadPerson] = []
        after: int | None = 0
        while after is not None:
            page = readers.list_unread(connection, id, after_user_id=after, limit=7)
            found += page.people
            after = page.last_user_id
    assert [p.user_id for p in found] == sorted(set(range(1, 31)) - {1, 5, 6, 7, 8, 30})
    assert found[0] == UnreadPerson(2, "zhang", "人2")


def test_a_broadcast_is_not_delivered_before_it_is_done(engine: Engine) -> None:
    """The status of its message is ACCEPTED until everyone has it, then as its report says."""
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
    """One that is due in a month does not hide the one just sent; pages meet no matter what is gone."""
    later = datetime.now(UTC) + timedelta(days=30)
    with engine.begin() as connection:
        [scheduled] = accept(connection, a_broadcast(send_at=later, unresolved=("x",)))
    ids = [planned(engine) for _ in range(3)]
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
