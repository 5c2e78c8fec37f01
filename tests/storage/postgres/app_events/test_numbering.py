"""Sequence numbers are given out after the commit: a reader by `after` misses nothing that commits late."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

from sqlalchemy import Engine, text

from storage.postgres.app_events import numbering
from storage.postgres.app_events.numbering import READS_OF_AN_EVENT, number_events
from tests.builders import add_app
from tests.storage.postgres.app_events.steps import ask_for, hear, list_all, number_all, write

WRITERS, NUMBERERS, EVENTS_OF_A_WRITER = 4, 3, 60


def test_what_commits_late_comes_after_what_was_read(engine: Engine) -> None:
    """An event that was written first and committed last is behind the one that a reader has, and not skipped."""
    ask_for(engine)
    with engine.connect() as late:
        write(late, 1)
        with engine.begin() as early:
            write(early, 2)
        number_all(engine)
        [seen] = list_all(engine)
        assert seen.data == {"mark": 2}
        late.commit()
    number_all(engine)
    [then] = list_all(engine, after=seen.seq)
    assert then.data == {"mark": 1}
    assert then.seq > seen.seq


def write_all(engine: Engine, writer: int) -> list[int]:
    """Write events one after the other, some slowly, some rolled back; returns the marks of those that were committed."""
    random, kept = Random(writer), []
    for mark in range(writer * 1_000, writer * 1_000 + EVENTS_OF_A_WRITER):
        with engine.connect() as connection:
            write(connection, mark)
            if random.random() < 0.3:
                connection.execute(text("SELECT pg_sleep(0.005)"))
            if random.random() < 0.8:
                connection.commit()
                kept.append(mark)
    return kept


def number_until(engine: Engine, is_over: Event) -> None:
    """Number a few events at a time."""
    while not is_over.is_set():
        with engine.begin() as connection:
            number_events(connection, 7, limit=3)


def read_until(engine: Engine, is_over: Event) -> list[tuple[int, int]]:
    """Read on by `after` until all is read; returns number and mark of each event that was read."""
    seen: list[tuple[int, int]] = []
    while True:
        was_over = is_over.is_set()
        page = list_all(engine, after=seen[-1][0] if seen else 0)
        seen += [(event.seq, event.data["mark"]) for event in page]
        if was_over and not page:
            return seen


def test_one_reader_sees_everything_once_while_several_write_and_number(engine: Engine) -> None:
    """With writers that commit in any order or roll back, and several that number, each event is read once, in order."""
    ask_for(engine)
    is_over = Event()
    with ThreadPoolExecutor(WRITERS + NUMBERERS + 1) as pool:
        reader = pool.submit(read_until, engine, is_over)
        numberers = [pool.submit(number_until, engine, is_over) for _ in range(NUMBERERS)]
        writers = [pool.submit(write_all, engine, writer) for writer in range(WRITERS)]
        kept = [mark for writer in writers for mark in writer.result()]
        number_all(engine)
        is_over.set()
        for numberer in numberers:
            numberer.result()
        seen = reader.result()
    assert sorted(mark for _, mark in seen) == sorted(kept)
    assert [seq for seq, _ in seen] == list(range(1, len(kept) + 1))


def test_nothing_to_number_takes_no_lock(engine: Engine) -> None:
    """While another transaction holds the lock, a call that finds nothing to number does not wait for it."""
    ask_for(engine)
    with engine.begin() as holder, engine.begin() as other:
        holder.execute(text("SELECT FROM app_callbacks FOR UPDATE"))
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert number_events(other, 7) == 0


def test_an_app_that_asked_for_nothing_has_nothing_to_number(engine: Engine) -> None:
    """A row of an app whose callback is gone stays without a number."""
    with engine.begin() as connection:
        write(connection, 1)
        assert number_events(connection, 7) == 0


def test_reads_are_gathered_once_a_second_and_five_hundred_at_a_time(engine: Engine) -> None:
    """Of many reads the first five hundred are one event, and the next is made when a second has passed."""
    ask_for(engine)
    with engine.begin() as connection:
        add_app(connection)
        connection.execute(
            text("INSERT INTO mappings (app_id, app_user_id, user_id) VALUES (7,'b',2), (7,'a',2)")
        )
        connection.execute(
            text("""INSERT INTO app_reads (app_id, message_id, user_id, read_at)
                    SELECT 7, 5, g, '2026-01-02T03:04:05.678Z' FROM generate_series(1, :n) g"""),
            {"n": READS_OF_AN_EVENT + 1},
        )
    [(_, first)] = hear(engine)
    assert [read["user_id"] for read in first["reads"]] == list(range(1, READS_OF_AN_EVENT + 1))
    assert first["reads"][1] == {
        "message_id": 5,
        "user_id": 2,
        "app_user_id": "a",
        "read_at_ms": 1767323045678,
    }
    assert first["reads"][0]["app_user_id"] is None
    with engine.begin() as connection:
        later = (
            "UPDATE app_callbacks SET reads_gathered_at = reads_gathered_at + interval '9 years'"
        )
        connection.execute(text(later.replace("+", "-")))
    _, (_, second) = hear(engine)
    assert [read["user_id"] for read in second["reads"]] == [READS_OF_AN_EVENT + 1]
    with engine.begin() as connection:
        # A clock that was put back makes nobody wait for years.
        connection.execute(text(later.replace("9", "18")))
        connection.execute(text("INSERT INTO app_reads VALUES (7, 9000, 6, 1, now())"))
    assert len(hear(engine)) == 3


def test_a_pass_is_bounded(engine: Engine) -> None:
    """One call numbers as many as it is told to, and the rest is left for the next one, in order."""
    ask_for(engine)
    with engine.begin() as connection:
        for mark in range(5):
            write(connection, mark)
        assert [number_events(connection, 7, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [event.data["mark"] for event in list_all(engine)] == list(range(5))
    assert len(list_all(engine)) <= numbering.NUMBERED_AT_ONCE


def test_a_page_of_large_events_is_shorter(engine: Engine) -> None:
    """Events of many reads come a few at a time, never none, and page by page all of them, in order."""
    ask_for(engine)
    with engine.begin() as connection:
        for _ in range(60):
            connection.execute(
                text("""INSERT INTO app_events (app_id, type, data)
                        SELECT 7, 'message.read', jsonb_build_object('reads', jsonb_agg(md5(CAST(g AS text))))
                          FROM generate_series(1, 500) g""")
            )
        connection.execute(
            text("""INSERT INTO app_events (app_id, type, data)
                    SELECT 7, 'message.read', jsonb_build_object('reads', jsonb_agg(md5(CAST(g AS text))))
                      FROM generate_series(1, 10000) g""")
        )
    number_all(engine)
    pages, after = [], 0
    while page := list_all(engine, after=after):
        pages.append(len(page))
        after = page[-1].seq
    assert max(pages) < 30
    assert sum(pages) == after == 61
