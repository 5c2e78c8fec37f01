"""A broadcast that changes: everyone who has it is told the newest form, chunk by chunk, whatever happens in between."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, text

from storage.model.event import MessageUpdated, NewMessage
from storage.model.message import CardState
from storage.postgres.broadcasts import expansion, failures, lane_work, planning, recalls
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import cards, lookup
from storage.postgres.messages.cards import CardChange, ChangeAnswer, ChangeStamp, HasMovedOn
from storage.postgres.personal_data import erasures
from tests.builders import A_COMMAND
from tests.workers.broadcasts.lanes import add_pending, end_rests, find_report, of_app, work_off
from workers.broadcasts.expander import Expander
from workers.broadcasts.lane import run_lane
from workers.broadcasts.planner import Planner
from workers.erasures import erase_slice
from workers.services import Services

PENDING = {"state": CardState.PENDING, "ref": "r"}


def change(engine: Engine, id: int, **changes: Any) -> bool:
    """Change a message as `PATCH` does."""
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
        assert found is not None
        version = (found.message.version or 1) + 1
        message = found.message._replace(version=version, **changes)
        stamp = ChangeStamp(ChangeAnswer(message, None, 1), None, "test")
        try:
            cards.change_all(connection, [CardChange(message, message.content)], stamp)
        except HasMovedOn:
            return False
        return True


def find_forms(services: Services) -> dict[int, list[tuple[str, int]]]:
    """By person, in order: the kinds and versions of what they were told, each event once."""
    bus: Any = services.bus
    forms: dict[int, list[tuple[str, int]]] = {}
    seen = set()
    for event in bus.events:
        if event.key in seen:
            continue
        seen.add(event.key)
        assert isinstance(event, NewMessage | MessageUpdated)
        kind = "new" if isinstance(event, NewMessage) else "updated"
        for _, users in event.recipients:
            for user in users:
                forms.setdefault(user, []).append((kind, event.message.version or 1))
    return forms


def count_open(engine: Engine, *, is_open: bool) -> int:
    """How many to-dos there are that are open, or are not."""
    with engine.begin() as connection:
        counted = connection.execute(
            text("SELECT count(*) FROM todos WHERE is_open = :is_open"), {"is_open": is_open}
        )
        return int(counted.scalar_one())


def is_due(engine: Engine) -> bool:
    """Whether the sweep would ring for the lanes."""
    with engine.begin() as connection:
        return lane_work.has_due_work(connection)


def test_everyone_who_has_it_is_told_once(small_chunks: Services, engine: Engine) -> None:
    """After a change each chunk's people are told the new form, their to-dos are closed, and nothing is left to do."""
    [id] = add_pending(engine, PENDING, people=35)
    work_off(small_chunks)
    assert (count_open(engine, is_open=True), is_due(engine)) == (35, False)
    assert change(engine, id, state=CardState.DONE)
    assert is_due(engine)
    work_off(small_chunks)
    assert find_forms(small_chunks) == {n: [("new", 1), ("updated", 2)] for n in range(1, 36)}
    assert (count_open(engine, is_open=False), is_due(engine)) == (35, False)
    assert find_report(engine, id).failed_chunks == 0


def test_a_change_before_the_expansion_is_the_only_form(
    small_chunks: Services, engine: Engine
) -> None:
    """What changes before it is planned is delivered in its new form, and nobody is told of a change."""
    [id] = add_pending(engine, PENDING, people=15)
    assert change(engine, id, state=CardState.DONE)
    assert change(engine, id, state=CardState.CLOSED, title="newest")
    work_off(small_chunks)
    assert find_forms(small_chunks) == {n: [("new", 3)] for n in range(1, 16)}
    assert (count_open(engine, is_open=True), count_open(engine, is_open=False)) == (0, 15)
    assert not is_due(engine)


def test_a_change_in_the_middle_of_the_expansion_reaches_everyone(
    small_chunks: Services, engine: Engine
) -> None:
    """Chunks before the change are told of it, chunks after it begin with the new form; a lane knows the old one."""
    [id] = add_pending(engine, PENDING, people=40)
    one_step = replace(
        small_chunks, settings=replace(small_chunks.settings, drain=small_chunks.settings.drain * 0)
    )
    while len(find_forms(small_chunks)) < 20:
        assert run_lane(one_step)
    assert change(engine, id, state=CardState.DONE)
    work_off(small_chunks)
    told = find_forms(small_chunks)
    early = [n for n, forms in told.items() if forms[0] == ("new", 1)]
    assert len(early) >= 20
    for n in range(1, 41):
        expected = [("new", 1), ("updated", 2)] if n in early else [("new", 2)]
        assert told[n] == expected
    assert count_open(engine, is_open=False) == 40


def test_a_change_between_the_snapshot_and_the_commit_of_an_expansion_reaches_everyone(
    small_chunks: Services, engine: Engine
) -> None:
    """A change that commits while a chunk's expansion is open: neither waits, no lane takes the change for told."""
    [id] = add_pending(engine, PENDING, people=10)
    with engine.begin() as connection:
        assert planning.plan_next(connection, PlanLimits(10)) is not None
    with engine.begin() as expanding:
        chunk = expansion.expand_next(expanding, lease=timedelta())
        assert chunk is not None
        assert chunk.version == 1
        assert change(engine, id, state=CardState.DONE)
        work_off(small_chunks)
        assert find_forms(small_chunks) == {}
    assert count_open(engine, is_open=True) == 10
    work_off(small_chunks)
    assert {forms[-1][1] for forms in find_forms(small_chunks).values()} == {2}
    assert len(find_forms(small_chunks)) == 10
    assert (count_open(engine, is_open=False), is_due(engine)) == (10, False)


def test_an_erased_person_gets_no_todo_back(small_chunks: Services, engine: Engine) -> None:
    """A person's to-dos go with them, and a change that comes afterwards, to all others, brings none back."""
    [id] = add_pending(engine, PENDING, people=10)
    work_off(small_chunks)
    small_chunks.media.prepare()
    with engine.begin() as connection:
        erasures.begin(connection, 1, actor=A_COMMAND)
        connection.execute(text("UPDATE erasures SET requested_at = now() - interval '1h'"))
    while erase_slice(small_chunks):
        pass
    assert count_open(engine, is_open=True) == 9
    assert change(engine, id, state=CardState.DONE)
    work_off(small_chunks)
    assert (count_open(engine, is_open=True), count_open(engine, is_open=False)) == (0, 9)
    assert not is_due(engine)


def test_a_lane_that_knows_the_old_form_delivers_the_new_one(
    small_chunks: Services, engine: Engine
) -> None:
    """A lane that has published a chunk before the change publishes its next one in the new form."""
    [id] = add_pending(engine, PENDING, people=20)
    while Planner(small_chunks).plan_slice():
        pass
    expander = Expander(small_chunks, now=time.monotonic)
    assert expander.expand_chunk()
    assert change(engine, id, state=CardState.DONE)
    assert expander.expand_chunk()
    forms = find_forms(small_chunks)
    assert {n: forms[n] for n in (1, 20)} == {1: [("new", 1)], 20: [("new", 2)]}


def test_a_lane_that_has_the_old_form_in_hand_publishes_no_older_one_last(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk that was expanded before a change and is published after it: its people end with the new form."""
    [id] = add_pending(engine, PENDING, people=10)
    bus: Any = small_chunks.bus
    bus.is_away = True
    run_lane(small_chunks)
    assert count_open(engine, is_open=True) == 10
    assert change(engine, id, state=CardState.DONE)
    bus.is_away = False
    end_rests(engine)
    work_off(small_chunks)
    assert {forms[-1][1] for forms in find_forms(small_chunks).values()} == {2}
    assert (count_open(engine, is_open=False), is_due(engine)) == (10, False)


def test_a_lane_that_dies_with_a_chunk_in_hand_is_taken_over(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk whose people were to be told when its lane died, or the bus was away, is told when its lease is over."""
    [id] = add_pending(engine, PENDING, people=10)
    work_off(small_chunks)
    assert change(engine, id, state=CardState.DONE)
    bus: Any = small_chunks.bus
    bus.is_away = True
    run_lane(small_chunks)
    bus.is_away = False
    work_off(small_chunks)
    assert {forms[-1][1] for forms in find_forms(small_chunks).values()} == {1}
    end_rests(engine)
    assert is_due(engine)
    work_off(small_chunks)
    assert {forms[-1][1] for forms in find_forms(small_chunks).values()} == {2}


def test_changes_of_several_broadcasts_do_not_wait_for_one_another(
    small_chunks: Services, engine: Engine
) -> None:
    """A chunk that cannot be told rests alone, and the others, of this broadcast and of others, are told."""
    ids = add_pending(engine, PENDING, of_app(8, **PENDING), people=20)
    work_off(small_chunks)
    with engine.begin() as connection:
        connection.exec_driver_sql("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON todos
            FOR EACH ROW WHEN (OLD.user_id = 15 AND NOT NEW.is_open) EXECUTE FUNCTION refuse()
        """)
    for id in ids:
        assert change(engine, id, state=CardState.DONE)
    work_off(small_chunks)
    told = find_forms(small_chunks)
    assert [len(told[n]) for n in (1, 10)] == [4, 4]
    assert [len(told[n]) for n in (11, 15, 20)] == [2, 2, 2]
    with engine.begin() as connection:
        assert [one.broadcast_id for one in failures.list_failing(connection, limit=9)] == ids
        connection.execute(text("DROP FUNCTION refuse CASCADE"))
        assert [failures.retry_failing(connection, id) for id in ids] == [1, 1]
    assert [find_report(engine, id).failed_chunks for id in ids] == [1, 1]
    work_off(small_chunks)
    assert {len(forms) for forms in find_forms(small_chunks).values()} == {4}
    assert not is_due(engine)


def test_a_recall_ends_a_change(small_chunks: Services, engine: Engine) -> None:
    """Of a broadcast that is recalled nobody is told a change any more, and no change can be made."""
    [id] = add_pending(engine, PENDING, people=10)
    work_off(small_chunks)
    assert change(engine, id, state=CardState.DONE)
    with engine.begin() as connection:
        recalls.start_recall(connection, id)
    assert not change(engine, id, state=CardState.CLOSED)
    work_off(small_chunks)
    bus: Any = small_chunks.bus
    assert [type(event).__name__ for event in bus.events] == ["NewMessage", "MessageRecalled"]
    assert (count_open(engine, is_open=True), count_open(engine, is_open=False)) == (0, 0)
    assert not is_due(engine)


def test_a_message_of_a_changed_broadcast_is_read_anew(engine: Engine) -> None:
    """What a lane loads of a broadcast that has changed is the newest form."""
    [id] = add_pending(engine, PENDING, people=1)
    assert change(engine, id, title="newest")
    with engine.begin() as connection:
        message = expansion.load_message(connection, id).message
    assert (message.title, message.version) == ("newest", 2)
