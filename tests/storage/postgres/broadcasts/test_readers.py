"""Readers of broadcasts: how many have read one, and who has not."""

from sqlalchemy import Connection, Engine, text

from storage.model.broadcast import (
    UnreadPerson,
)
from storage.postgres.broadcasts import (
    readers,
)
from storage.postgres.broadcasts.readers import ReadCount
from storage.postgres.messages import conversations
from tests.builders import add_people
from tests.storage.postgres.broadcasts.steps import expand_all, plan_all, report


def test_read_counts_who_has_read_it(engine: Engine) -> None:
    """`read` is the number of people whose copy is read, at most a minute old."""
    with engine.begin() as connection:
        add_people(connection, range(1, 11))
    id = plan_all(engine)
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


def test_who_has_not_read_it_page_by_page(engine: Engine) -> None:
    """The pages name everyone who has not read a broadcast once, by user id, with the app's account."""
    with engine.begin() as connection:
        add_people(connection, range(1, 31))
        connection.execute(
            text("INSERT INTO mappings (app_id, app_user_id, user_id) VALUES (7, 'zhang', 2)")
        )
    id = plan_all(engine, chunk_size=4)
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


def test_a_page_of_unread_people_costs_no_more_than_its_people(engine: Engine) -> None:
    """The first people of a page far into a large audience are found by some probes, not by reading the month's deliveries."""
    with engine.begin() as connection:
        add_people(connection, range(1, 21))
    id = plan_all(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM broadcast_chunks"))
        connection.execute(
            text(
                "INSERT INTO broadcast_chunks (broadcast_id, number, app_id, user_ids, first_user_id, "
                "last_user_id, size, state) SELECT :id, k, 7, "
                "ARRAY(SELECT n::bigint FROM generate_series(k * 1000 + 1, k * 1000 + 1000) n), "
                "k * 1000 + 1, k * 1000 + 1000, 1000, 'published' FROM generate_series(0, 59) k"
            ),
            {"id": id},
        )
        connection.execute(
            text(
                "INSERT INTO deliveries (user_id, peer_id, message_id) "
                "SELECT n, -7, :id FROM generate_series(1, 60000) n"
            ),
            {"id": id},
        )
        connection.execute(text("ANALYZE"))

    def count_rows_read(connection: Connection) -> int:
        return int(
            connection.execute(
                text(
                    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables "
                    "WHERE relname LIKE 'deliveries%'"
                )
            ).scalar_one()
        )

    with engine.begin() as connection:
        page = readers.list_unread(connection, id, after_user_id=50_000, limit=50, chunks=1)
        assert [one.user_id for one in page.people] == list(range(50_001, 50_051))
        assert count_rows_read(connection) <= 1000
    with engine.begin() as connection:
        assert readers.count_reads(connection, id, after_user_id=40_000).count == 0
        assert count_rows_read(connection) <= 25_000
