"""Recalling broadcasts leaves no trace in any history or counter, also when it is interrupted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.postgres.broadcasts import (
    cancellation,
    expansion,
    lane_work,
    planning,
    recalls,
    reports,
)
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import conversations, persistence
from tests.builders import a_broadcast, a_notification, accept, add_app, add_people
from tests.counters import find_drift

LEASE = timedelta(seconds=30)


def deliver_broadcast(engine: Engine, *, chunks: int = 10, people: int = 50) -> int:
    """A broadcast of which `chunks` of five people are expanded and published; returns its id."""
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
        persistence.persist(connection, [id])
        planning.plan_next(connection, PlanLimits(5))
        for _ in range(chunks):
            chunk = expansion.expand_next(connection, lease=LEASE)
            assert chunk is not None
            expansion.mark_published(connection, chunk)
    return id


def start(engine: Engine, id: int) -> None:
    """Begin a recall in two transactions, as ingest does."""
    for step in (recalls.start_recall, cancellation.discard_waiting):
        with engine.begin() as connection:
            step(connection, id)


def take_back(engine: Engine, *, at_most: int = 1000) -> int:
    """Take chunks back as a lane does; returns how many."""
    done = 0
    while done < at_most:
        with engine.begin() as connection:
            chunk = recalls.take_back_next(connection, lease=LEASE)
        if chunk is None:
            break
        with engine.begin() as connection:
            recalls.mark_recalled(connection, chunk)
        done += 1
    return done


def report(connection: Connection, id: int) -> BroadcastReport:
    """The report that its app gets."""
    found = reports.find_report(connection, id, app_id=7)
    assert found is not None
    return found


def count_left(connection: Connection, id: int) -> int:
    """How many people still have the broadcast."""
    count = text("SELECT count(*) FROM deliveries WHERE message_id = :id")
    return int(connection.execute(count, {"id": id}).scalar_one())


def people(engine: Engine) -> None:
    """Fifty people, and app 7."""
    with engine.begin() as connection:
        add_app(connection)
        add_people(connection, range(1, 51))


def test_a_recall_leaves_no_trace_in_any_count(engine: Engine) -> None:
    """After a recall unread counters, last messages and lists are as if the broadcast had never been sent."""
    people(engine)
    with engine.begin() as connection:
        before = accept(connection, *[a_notification(user, content="早") for user in range(1, 26)])
        persistence.persist(connection, before)
    id = deliver_broadcast(engine)
    with engine.begin() as connection:
        later = accept(connection, *[a_notification(user, content="晚") for user in range(20, 31)])
        persistence.persist(connection, later)
        for user in (1, 22, 40):
            conversations.mark_all_read(connection, user)
    start(engine, id)
    with engine.begin() as connection:
        assert report(connection, id).status is BroadcastStatus.RECALLING
    assert take_back(engine) == 10
    with engine.begin() as connection:
        done = report(connection, id)
        assert (done.status, done.recalled) == (BroadcastStatus.RECALLED, 50)
        assert count_left(connection, id) == 0
        assert find_drift(connection) == []
        lists = {user: conversations.list_conversations(connection, user) for user in range(1, 51)}
    assert [user for user in lists if not lists[user]] == list(range(31, 51))
    assert {lists[user][0].last_content for user in range(1, 20)} == {"早"}
    assert {lists[user][0].last_content for user in range(20, 31)} == {"晚"}
    unread = {user: lists[user][0].unread_count for user in range(1, 31)}
    assert (unread[1], unread[2], unread[20], unread[22], unread[30]) == (0, 1, 2, 0, 1)


def test_what_is_half_expanded_is_taken_back_and_the_rest_never_comes(engine: Engine) -> None:
    """A broadcast that is recalled while it is expanded is taken back from all, also if the recall is interrupted and repeated."""
    people(engine)
    id = deliver_broadcast(engine, chunks=4)
    start(engine, id)
    assert take_back(engine, at_most=2) == 2
    start(engine, id)
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is None
        half = report(connection, id)
        assert (half.status, half.recalled, count_left(connection, id)) == (
            BroadcastStatus.RECALLING,
            10,
            10,
        )
    assert take_back(engine) == 2
    start(engine, id)
    with engine.begin() as connection:
        done = report(connection, id)
        assert (done.status, done.recalled, done.expanded) == (BroadcastStatus.RECALLED, 20, 20)
        assert count_left(connection, id) == 0
        assert find_drift(connection) == []


def test_a_chunk_whose_recall_was_not_told_is_told_later(engine: Engine) -> None:
    """When a lane died before it told of a chunk that it took back, another lane tells of it after the lease."""
    people(engine)
    id = deliver_broadcast(engine, chunks=1)
    start(engine, id)
    with engine.begin() as connection:
        chunk = recalls.take_back_next(connection, lease=LEASE)
        assert chunk is not None
    with engine.begin() as connection:
        assert recalls.take_back_next(connection, lease=LEASE) is None
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))
        assert lane_work.has_due_work(connection)
        assert recalls.take_back_next(connection, lease=LEASE) == chunk
        recalls.mark_recalled(connection, chunk)
        assert report(connection, id).status is BroadcastStatus.RECALLED


def test_a_chunk_is_published_before_it_is_taken_back(engine: Engine) -> None:
    """A chunk that a lane may still publish is not taken back before that lane's lease is over."""
    people(engine)
    id = deliver_broadcast(engine, chunks=0)
    with engine.begin() as connection:
        chunk = expansion.expand_next(connection, lease=LEASE)
        assert chunk is not None
    start(engine, id)
    with engine.begin() as connection:
        assert recalls.take_back_next(connection, lease=LEASE) is None
        expansion.mark_published(connection, chunk)
        assert recalls.take_back_next(connection, lease=LEASE) == chunk


def test_a_scheduled_broadcast_is_recalled_before_it_is_anything(engine: Engine) -> None:
    """A scheduled broadcast that is recalled is RECALLED at once, and never delivered."""
    people(engine)
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast(send_at=datetime.now(UTC) + timedelta(days=1)))
    start(engine, id)
    with engine.begin() as connection:
        assert persistence.persist(connection, [id]) == []
        assert report(connection, id).status is BroadcastStatus.RECALLED


def test_recall_races_with_readers_senders_and_lanes(engine: Engine) -> None:
    """A recall while lanes expand and people read and send causes no deadlock and no drift, and leaves no trace."""
    people(engine)
    id = deliver_broadcast(engine, chunks=5)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(race_to_expand, engine)]
        for user in range(1, 31):
            jobs += [pool.submit(read_and_send, engine, user)] * 2
            if user in (5, 15):
                jobs += [pool.submit(start, engine, id), pool.submit(race_to_take_back, engine)]
        for job in jobs:
            job.result(timeout=60)
    take_back(engine)
    with engine.begin() as connection:
        recalls.close_if_recalled(connection, id)
        assert report(connection, id).status is BroadcastStatus.RECALLED
        assert count_left(connection, id) == 0
        assert find_drift(connection) == []


def race_to_expand(engine: Engine) -> None:
    """Expand up to five chunks as a lane does."""
    for _ in range(5):
        with engine.begin() as connection:
            chunk = expansion.expand_next(connection, lease=timedelta(0))
        if chunk:
            with engine.begin() as connection:
                expansion.mark_published(connection, chunk)


def race_to_take_back(engine: Engine) -> None:
    """Take all chunks back that a lane would find."""
    take_back(engine)


def read_and_send(engine: Engine, user: int) -> None:
    """Let a person read everything and get another message, in turn."""
    for _ in range(5):
        with engine.begin() as connection:
            conversations.mark_all_read(connection, user)
        with engine.begin() as connection:
            persistence.persist(connection, accept(connection, a_notification(user)))
