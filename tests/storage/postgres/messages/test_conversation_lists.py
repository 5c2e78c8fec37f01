"""Lists of conversations: what they show, and how many."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from storage.postgres.messages import conversations, persistence
from tests.builders import a_notification, a_send, accept, add_app, add_people


def test_a_long_list_of_conversations_is_its_newest(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with more conversations than are listed is shown the newest (contract §4)."""
    monkeypatch.setattr(conversations, "LISTED", 2)
    with engine.begin() as connection:
        add_people(connection, range(1, 6))
        for sender in (5, 3, 4, 2):
            ids = accept(connection, a_send(sender_id=sender, receiver_id=1))
            persistence.persist(connection, ids)
        assert [one.peer_id for one in conversations.list_conversations(connection, 1)] == [2, 4]


def test_the_list_shows_people_apps_and_the_system(engine: Engine) -> None:
    """A list shows the other side's name, newest first, with previews cut at 200 characters (contract §4)."""
    with engine.begin() as connection:
        add_people(connection, (1, 2))
        add_app(connection)
        system = a_notification(app_id=None, app_name=None, sent_by_app_id=None)
        sends = (a_send(content="长" * 500), a_notification(), system)
        persistence.persist(connection, accept(connection, *sends))
        listed = conversations.list_conversations(connection, 2)
    assert [(c.peer_id, c.peer_username, c.peer_name) for c in listed] == [
        (0, "system", "系统通知"),
        (-7, "app_7", "OA系统"),
        (1, "13800000001", "人1"),
    ]
    assert listed[2].last_content == "长" * 200


def insert_conversations(connection: Connection, count: int) -> None:
    """Conversations of person 1 with 2 and on, the highest number updated last; half a minute ago."""
    connection.execute(
        text("""
        INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)
        SELECT 1, 1 + i, 0, i, clock_timestamp() - interval '30 s' + make_interval(secs => i * 0.01)
          FROM generate_series(1, :count) i"""),
        {"count": count},
    )


def move_up(connection: Connection, peer_id: int, *, at: str) -> None:
    """A message that was accepted at the SQL instant `at` comes into the conversation."""
    connection.execute(
        text(f"""
        UPDATE conversations SET last_message_id = (SELECT max(last_message_id) + 1 FROM conversations),
               updated_at = greatest(updated_at, {at})
         WHERE user_id = 1 AND peer_id = :peer_id"""),
        {"peer_id": peer_id},
    )


def insert_broadcast(connection: Connection, *, age: str) -> None:
    """A broadcast that is not finished, and is this old."""
    connection.execute(
        text("""
        INSERT INTO broadcasts (id, app_id, status, created_at, accepted_at)
        SELECT 1, 7, 'EXPANDING', at, at FROM (SELECT now() - CAST(:age AS interval) AS at) a"""),
        {"age": age},
    )


# When a message that comes while somebody pages was accepted: just now, or with a broadcast that is still going on.
ACCEPTED = ("clock_timestamp()", "(SELECT min(created_at) FROM broadcasts)")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    count=st.integers(0, 12),
    limit=st.integers(1, 5),
    moves=st.lists(
        st.lists(st.tuples(st.integers(2, 13), st.sampled_from(ACCEPTED)), max_size=3), max_size=8
    ),
    is_broadcasting=st.booleans(),
)
def test_nothing_is_left_out_of_the_pages_whatever_moves_up(
    engine: Engine,
    *,
    count: int,
    limit: int,
    moves: list[list[tuple[int, str]]],
    is_broadcasting: bool,
) -> None:
    """Pages show every conversation that there was at the first, and in order, while messages come in between and late."""
    with engine.connect() as connection:
        insert_conversations(connection, count)
        if is_broadcasting:
            insert_broadcast(connection, age="29.95 s")
        seen: list[int] = []
        cursor = None
        for number in range(1000):
            page = conversations.list_page(connection, 1, limit=limit, cursor=cursor)
            assert len(page.conversations) <= limit
            assert page.conversations == sorted(
                page.conversations, key=lambda one: one.updated_at, reverse=True
            )
            seen += [one.peer_id for one in page.conversations]
            if (cursor := page.next) is None:
                break
            for peer_id, at in moves[number] if number < len(moves) else ():
                move_up(connection, peer_id, at=at if is_broadcasting else ACCEPTED[0])
        else:
            raise AssertionError("the pages never end")
        assert set(seen) == set(range(2, 2 + count))
        if not any(moves) and not is_broadcasting:
            assert seen == list(range(1 + count, 1, -1)), "shown once, newest first"


def test_a_page_of_everything_is_the_last(engine: Engine) -> None:
    """Somebody whose conversations fit on a page has no next one, also while a broadcast is going on."""
    with engine.begin() as connection:
        insert_conversations(connection, 5)
        insert_broadcast(connection, age="1 hour")
        page = conversations.list_page(connection, 1, limit=5)
        assert [one.peer_id for one in page.conversations] == [6, 5, 4, 3, 2]
        assert page.next is None


def test_pages_end_while_a_broadcast_is_held(engine: Engine) -> None:
    """What a broadcast from long ago may still bring is shown once more at the end, and not again and again."""
    with engine.begin() as connection:
        insert_conversations(connection, 6)
        insert_broadcast(connection, age="3 days")
        seen, cursor = [], None
        for _ in range(6):
            page = conversations.list_page(connection, 1, limit=2, cursor=cursor)
            seen.append([one.peer_id for one in page.conversations])
            cursor = page.next
        assert seen == [[7, 6], [5, 4], [3, 2]] * 2
        assert cursor is None
