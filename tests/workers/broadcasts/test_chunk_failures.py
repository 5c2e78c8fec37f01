"""Chunks that fail: each rests alone, is reported, and is tried again for ever."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastStatus
from storage.model.errors import PermanentError, TransientError
from storage.model.message import ContentType
from storage.postgres.broadcasts import expansion, failures
from tests.workers.broadcasts.lanes import (
    add_pending,
    break_for,
    end_rests,
    find_report,
    lengthen_rests,
    of_app,
    work_off,
)
from workers.broadcasts.lane import run_lane
from workers.services import Services


def fill_counter(engine: Engine, user_id: int, *, app_id: int = 7) -> None:
    """Fill a person's unread counter, so that PostgreSQL refuses the statement of that person's chunk."""
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
    """Every chunk but the failing one is delivered, the report says so, and once it is mended the broadcast is DONE."""
    [id] = add_pending(engine, {})
    fill_counter(engine, 15)
    for _ in range(12):
        work_off(small_chunks)
        end_rests(engine)
    found = find_report(engine, id)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.EXPANDING, 20, 1)
    assert found.last_error == "integer out of range"
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM conversations WHERE unread_count = 2147483647"))
        assert failures.retry_failing(connection, id) == 1
    work_off(small_chunks)
    found = find_report(engine, id)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.DONE, 30, 0)


def test_a_chunk_is_blamed_only_if_it_fails_alone(
    small_chunks: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of a chunk that another lane took meanwhile is not held against the chunk that is next."""
    [id] = add_pending(engine, {})
    real = expansion.expand_next
    failed: list[int] = []

    def fail_once(*args: Any, **kwargs: Any) -> Any:
        if not failed:
            failed.append(1)
            raise PermanentError("of a chunk that is not there any more")
        return real(*args, **kwargs)

    monkeypatch.setattr(expansion, "expand_next", fail_once)
    run_lane(small_chunks)
    found = find_report(engine, id)
    assert failed
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.DONE, 30, 0)
    with engine.begin() as connection:
        attempts = connection.execute(text("SELECT attempts FROM broadcast_chunks")).scalars()
        assert set(attempts) == {1}


def test_a_chunk_that_takes_too_long_is_not_tried_first_for_ever(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk whose statement PostgreSQL ended for its time rests; the next ring serves other chunks, of its app too."""
    slow, _other = add_pending(engine, {}, of_app(8))
    break_for(
        engine,
        "conversations",
        when="NEW.user_id = 5 AND NEW.peer_id = -7",
        how="'too late' USING ERRCODE = 'query_canceled'",
    )
    with pytest.raises(TransientError):
        work_off(small_chunks)
    lengthen_rests(engine)
    work_off(small_chunks)
    assert find_report(engine, slow).failed_chunks == 1
    with engine.begin() as connection:
        done = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
    assert done == 20 + 30


def test_an_event_that_cannot_be_made_holds_up_nobody(
    small_chunks: Services, engine: Engine
) -> None:
    """A broadcast whose picture has no store waits and is reported; others go on, and it follows when the store is back."""
    picture, plain = add_pending(
        engine, {"content_type": ContentType.IMAGE, "content": "a/key"}, {}
    )

    def refuse(key: str, *_: object, **__: object) -> str:
        raise OSError(f"no credentials for {key}")

    no_store: Any = type("NoStore", (), {"url": staticmethod(refuse)})
    broken = replace(small_chunks, media=no_store)
    broken = replace(broken, settings=replace(broken.settings, max_attempts=1))
    for _ in range(3):
        work_off(broken)
        end_rests(engine)
    found = find_report(engine, picture)
    assert (found.status, found.expanded, found.failed_chunks) == (BroadcastStatus.EXPANDING, 30, 3)
    assert found.last_error == "OSError."
    assert find_report(engine, plain).status is BroadcastStatus.DONE
    work_off(small_chunks)
    assert find_report(engine, picture).status is BroadcastStatus.DONE
