"""Chunks that fail: set aside alone, told of, tried again for ever; and what waits for an earlier broadcast."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastReport, BroadcastStatus, ChunkState
from storage.model.errors import PermanentError, TransientError
from storage.model.event import Event, NewMessage
from storage.model.message import ContentType
from storage.postgres.broadcasts import cancellation, expansion, failures, recalls, reports
from storage.postgres.messages import persistence
from tests.builders import a_broadcast, accept, add_people
from workers.broadcasts.lane import run_lane
from workers.broadcasts.planner import Planner
from workers.services import Services

PEOPLE = range(1, 31)
LEASE = timedelta(seconds=30)


@pytest.fixture
def small_chunks(services: Services) -> Services:
    """A process whose chunks are of ten people."""
    return replace(services, settings=replace(services.settings, chunk_size=10))


def pending(engine: Engine, *sends: dict[str, Any]) -> list[int]:
    """Broadcasts of app 7 (unless changed) to thirty people, persisted; their ids."""
    with engine.begin() as connection:
        add_people(connection, PEOPLE)
        ids = accept(connection, *[a_broadcast(**changes) for changes in sends])
        persistence.persist(connection, ids)
    return ids


def of_app(id: int, **changes: Any) -> dict[str, Any]:
    """What makes a broadcast that app's."""
    return {"sent_by_app_id": id, "app_id": id} | changes


def report(engine: Engine, id: int) -> BroadcastReport:
    """As an operator gets it."""
    with engine.begin() as connection:
        found = reports.find_report(connection, id, app_id=None)
    assert found is not None
    return found


def work(services: Services) -> None:
    """As rings do it, until there is nothing to do."""
    while run_lane(services):
        pass


def rest_is_over(engine: Engine) -> None:
    """Let every pause and lease be over."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))


def fill_counter(engine: Engine, user_id: int, *, app_id: int = 7) -> None:
    """Nobody's counter can hold one more: their chunk's statement is refused."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)"
                " VALUES (:user_id, :peer_id, 2147483647, 1, now())"
            ),
            {"user_id": user_id, "peer_id": -app_id},
        )


def test_a_chunk_that_fails_holds_up_nothing_and_is_never_given_up(
    small_chunks: Services, engine: Engine
) -> None:
    """Every other chunk is delivered; it is told of, and once it is mended the broadcast is DONE."""
    [id] = pending(engine, {})
    fill_counter(engine, 15)
    for _ in range(12):
        work(small_chunks)
        rest_is_over(engine)
    found = report(engine, id)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.EXPANDING, 20, 1)
    assert found.last_error == "integer out of range"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM conversations WHERE unread_count = 2147483647"))
        assert failures.retry_failing(connection, id) == 1
    work(small_chunks)
    found = report(engine, id)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.DONE, 30, 0)


def test_a_chunk_is_blamed_only_if_it_fails_alone(
    small_chunks: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure whose chunk another lane took meanwhile is not put down to the one that is next."""
    [id] = pending(engine, {})
    real = expansion.expand_next
    failed: list[int] = []

    def fail_once(*args: Any, **kwargs: Any) -> Any:
        if not failed:
            failed.append(1)
            raise PermanentError("of a chunk that is not there any more")
        return real(*args, **kwargs)

    monkeypatch.setattr(expansion, "expand_next", fail_once)
    run_lane(small_chunks)
    found = report(engine, id)
    assert failed
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.DONE, 30, 0)
    with engine.begin() as connection:
        attempts = connection.execute(text("SELECT attempts FROM broadcast_chunks")).scalars()
        assert set(attempts) == {1}


def test_a_chunk_that_takes_too_long_is_not_tried_first_for_ever(
    small_chunks: Services, engine: Engine
) -> None:
    """What PostgreSQL ended for its time rests: the next ring serves the others (also its own app's)."""
    slow, _other = pending(engine, {}, of_app(8))
    break_for(
        engine,
        "conversations",
        when="NEW.user_id = 5 AND NEW.peer_id = -7",
        how="'too late' USING ERRCODE = 'query_canceled'",
    )
    with pytest.raises(TransientError):
        work(small_chunks)
    work(small_chunks)
    assert report(engine, slow).failed_chunks == 1
    with engine.begin() as connection:
        done = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
    assert done == 20 + 30


def test_an_event_that_cannot_be_made_holds_up_nobody(
    small_chunks: Services, engine: Engine
) -> None:
    """Without a store for its picture a broadcast waits, told of; others go on, and in the end it goes."""
    picture, plain = pending(engine, {"content_type": ContentType.IMAGE, "content": "a/key"}, {})

    def refuse(key: str, *_: object, **__: object) -> str:
        raise OSError(f"no credentials for {key}")

    no_store: Any = type("NoStore", (), {"url": staticmethod(refuse)})
    broken = replace(small_chunks, media=no_store)
    broken = replace(broken, settings=replace(broken.settings, max_attempts=1))
    for _ in range(3):
        work(broken)
        rest_is_over(engine)
    found = report(engine, picture)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.EXPANDING, 30, 3)
    assert found.last_error == "OSError."
    assert report(engine, plain).status is BroadcastStatus.DONE
    work(small_chunks)
    assert report(engine, picture).status is BroadcastStatus.DONE


def break_for(engine: Engine, table: str, *, when: str, how: str = "'no'") -> None:
    """Every row that is put into `table`, or taken out, and meets `when` raises."""
    event = "DELETE" if "OLD" in when else "INSERT"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION {how}; END $$;
            CREATE TRIGGER refuse BEFORE {event} ON {table}
            FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()
        """)


def test_a_chunk_that_cannot_be_taken_back_holds_up_no_other_recall(
    small_chunks: Services, engine: Engine
) -> None:
    """Its broadcast says so and stays RECALLING; others are RECALLED, and it too once it is mended."""
    ids = pending(engine, {}, of_app(8))
    work(small_chunks)
    break_for(engine, "deliveries", when="OLD.user_id = 15 AND OLD.peer_id = -7")
    with engine.begin() as connection:
        for id in ids:
            recalls.start_recall(connection, id)
    for _ in range(3):
        work(small_chunks)
    first, second = report(engine, ids[0]), report(engine, ids[1])
    assert (first.status, first.failed_chunks) == (BroadcastStatus.RECALLING, 1)
    assert second.status is BroadcastStatus.RECALLED
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION refuse CASCADE"))
        assert failures.retry_failing(connection, ids[0]) == 1
    work(small_chunks)
    assert report(engine, ids[0]).status is BroadcastStatus.RECALLED


def told(services: Services) -> list[tuple[int, str, int]]:
    """Everything on the bus: person, what, which message; in order."""
    bus: Any = services.bus
    found = []
    for event in bus.events:
        id = event.message.id if isinstance(event, NewMessage) else event.message_id
        people = [user for _, users in event.recipients for user in users]
        found += [(user, type(event).__name__, id) for user in people]
    return found


def in_order(services: Services, ids: list[int]) -> bool:
    """Whether everybody was told of each of `ids` once, in this order."""
    heard: dict[int, list[int]] = {}
    for user, _, id in told(services):
        heard.setdefault(user, []).append(id)
    return heard == dict.fromkeys(PEOPLE, ids)


class Bus:
    """Keeps what is published; before it keeps the first, it does something."""

    def __init__(self, first: Callable[[], None], *, kept: list[Event]) -> None:
        self._first: list[Callable[[], None]] = [first]
        self.events = kept

    def publish(self, events: list[Event]) -> None:
        """Keep them."""
        if self._first:
            self._first.pop()()
        self.events += events


def with_bus(services: Services, first: Callable[[], None]) -> Services:
    """The same process, with a bus that does something before it takes the first event."""
    kept: Any = services.bus
    bus: Any = Bus(first, kept=kept.events)
    return replace(services, bus=bus)


def test_an_apps_broadcasts_reach_everyone_in_order_though_a_lane_is_slow(
    small_chunks: Services, engine: Engine
) -> None:
    """What another lane has inserted and not published yet is waited for; the histories are not."""
    ids = pending(engine, {}, {}, {})

    def others_go_on() -> None:
        work(small_chunks)
        with engine.begin() as connection:
            count = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
        assert count == 90

    work(with_bus(small_chunks, others_go_on))
    work(small_chunks)
    assert in_order(small_chunks, ids)
    assert [report(engine, id).status for id in ids] == [BroadcastStatus.DONE] * 3


def test_an_apps_broadcasts_reach_everyone_in_order_when_the_bus_was_away(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk that rests because the bus did not take it is not overtaken when it is back."""
    ids = pending(engine, {}, {})

    def be_away() -> None:
        raise TransientError("away")

    work(with_bus(small_chunks, be_away))
    for _ in range(3):
        rest_is_over(engine)
        work(small_chunks)
    assert in_order(small_chunks, ids)


def test_broadcasts_to_other_people_do_not_wait(small_chunks: Services, engine: Engine) -> None:
    """Only chunks that share people wait for each other, and nobody waits for what was set aside."""
    pending(engine, {"audience": (1, 2, 3)}, {"audience": (7, 8)}, {"audience": (3, 4)})
    chunks = []
    for _ in range(3):
        Planner(small_chunks).plan_slice()
        with engine.begin() as connection:
            chunks.append(expansion.expand_next(connection, lease=LEASE))
    first, second, third = [chunk for chunk in chunks if chunk]
    assert [chunk.is_barred for chunk in (first, second, third)] == [False, False, True]
    rest_is_over(engine)
    with engine.begin() as connection:
        assert expansion.claim_unpublished(connection, lease=LEASE) == first
        assert expansion.claim_unpublished(connection, lease=LEASE) == second
        assert expansion.claim_unpublished(connection, lease=LEASE) is None
        for _ in range(small_chunks.settings.max_attempts):
            failures.record_chunk_failure(connection, first, state=ChunkState.EXPANDED, error="no")
        claimed = expansion.claim_unpublished(connection, lease=LEASE)
    assert claimed is not None and claimed.broadcast_id == third.broadcast_id


def test_a_lane_that_was_held_up_shows_nobody_what_was_recalled(
    small_chunks: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen past its lease, while others took the broadcast back: it publishes nothing any more."""
    [id] = pending(engine, {})
    clock = [0.0]
    real = expansion.expand_next

    def freeze(*args: Any, **kwargs: Any) -> Any:
        chunk = real(*args, **kwargs)
        if chunk is not None and not clock[0]:
            clock[0] = 60.0
        return chunk

    def recalled(connection: Any, broadcast_id: int) -> Any:
        monkeypatch.setattr(expansion, "load_message", message)
        for step in (recalls.start_recall, cancellation.discard_waiting):
            with engine.begin() as own:
                step(own, id)
        rest_is_over(engine)
        work(small_chunks)
        return message(connection, broadcast_id)

    message = expansion.load_message
    monkeypatch.setattr(expansion, "expand_next", freeze)
    monkeypatch.setattr(expansion, "load_message", recalled)
    run_lane(small_chunks, now=lambda: clock[0])
    assert report(engine, id).status is BroadcastStatus.RECALLED
    assert {what for _, what, _ in told(small_chunks)} == {"MessageRecalled"}
