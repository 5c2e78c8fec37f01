"""Unread counters equal a recount after any sequence of events."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from storage.model.broadcast import Chunk
from storage.model.conversation import make_deliveries
from storage.model.event import AllRead, ConversationRead, Event, MessageRecalled
from storage.postgres import outbox
from storage.postgres.broadcasts import cancellation, expansion, planning
from storage.postgres.broadcasts import recalls as broadcast_recalls
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import conversations, lookup, persistence, recalls
from tests.builders import a_broadcast, a_notification, a_send, accept, add_app, add_people
from tests.counters import find_drift

PEOPLE = (1, 2, 3)
LEASE = timedelta(0)


def outbox_of(connection: Connection) -> list[Event | None]:
    """Take the events out of the outbox, and return them."""
    notices = outbox.list_waiting(connection, 100)
    outbox.forget(connection, [notice.number for notice in notices])
    return [notice.event for notice in notices]


def list_recalled_people(event: Event | None) -> set[tuple[int, tuple[int, ...]]]:
    """The people that an event of a recall names, by conversation."""
    assert isinstance(event, MessageRecalled)
    return set(event.recipients)


class Counters(RuleBasedStateMachine):
    """Sends, broadcasts, reads, recalls and repeats against a dict of what is unread."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.unread: dict[tuple[int, int], set[int]] = {}
        self.sent: list[int] = []
        self.broadcasts: list[int] = []
        with self.engine.begin() as connection:
            for table in ("accepted", "messages", "deliveries", "conversations"):
                connection.execute(text(f"TRUNCATE {table}"))
            connection.execute(text("TRUNCATE broadcasts, broadcast_chunks, persist_claims"))

    @rule(sender=st.sampled_from(PEOPLE), receiver=st.sampled_from(PEOPLE))
    def send(self, sender: int, receiver: int) -> None:
        """A private message: unread for the receiver, unless it is to oneself."""
        id = self.persist_send(a_send(sender_id=sender, receiver_id=receiver))
        self.sent.append(id)
        self.unread.setdefault((receiver, sender), set())
        self.unread.setdefault((sender, receiver), set())
        if sender != receiver:
            self.unread[(receiver, sender)].add(id)

    @rule(receiver=st.sampled_from(PEOPLE))
    def notify(self, receiver: int) -> None:
        """A notification: unread in the app's conversation."""
        id = self.persist_send(a_notification(receiver))
        self.sent.append(id)
        self.unread.setdefault((receiver, -7), set()).add(id)

    @rule()
    def broadcast(self) -> None:
        """A broadcast: unread for everyone, in chunks of two people."""
        id = self.persist_send(a_broadcast())
        self.broadcasts.append(id)
        with self.engine.begin() as connection:
            planning.plan_next(connection, PlanLimits(2))
            while expansion.expand_next(connection, lease=LEASE):
                pass
        for person in PEOPLE:
            self.unread.setdefault((person, -7), set()).add(id)

    @rule(chunks=st.integers(0, 2))
    def cancel_broadcast(self, chunks: int) -> None:
        """A broadcast that is cancelled after some chunks of one person: they keep it."""
        id = self.persist_send(a_broadcast())
        self.broadcasts.append(id)
        with self.engine.begin() as connection:
            planning.plan_next(connection, PlanLimits(1))
            for _ in range(chunks):
                chunk = expansion.expand_next(connection, lease=LEASE)
                assert chunk is not None
                self.unread.setdefault((chunk.user_ids[0], -7), set()).add(id)
            cancellation.cancel(connection, id)
            cancellation.discard_waiting(connection, id)
            assert expansion.expand_next(connection, lease=LEASE) is None

    @rule(data=st.data(), is_interrupted=st.booleans())
    def recall_broadcast(self, data: st.DataObject, is_interrupted: bool) -> None:
        """Taking a broadcast back, or half of it and later the rest, takes it out of every count."""
        if not self.broadcasts:
            return
        id = data.draw(st.sampled_from(self.broadcasts))
        with self.engine.begin() as connection:
            broadcast_recalls.start_recall(connection, id)
            cancellation.discard_waiting(connection, id)
            while chunk := broadcast_recalls.take_back_next(connection, lease=LEASE):
                for person in chunk.user_ids if chunk.broadcast_id == id else ():
                    self.unread[(person, -7)].discard(id)
                if is_interrupted:
                    break
                broadcast_recalls.mark_recalled(connection, chunk)
            self.settle_other_recalls(connection)

    def settle_other_recalls(self, connection: Connection) -> None:
        """Whatever else was taken back on the way counts as gone too."""
        gone = connection.execute(
            text(
                "SELECT broadcast_id, unnest(user_ids) FROM broadcast_chunks"
                " WHERE state IN ('taken_back', 'recalled')"
            )
        )
        for id, person in gone:
            self.unread.get((person, -7), set()).discard(id)

    @rule(person=st.sampled_from(PEOPLE), peer=st.sampled_from((*PEOPLE, -7)), data=st.data())
    def read_one(self, person: int, peer: int, data: st.DataObject) -> None:
        """Reading one conversation, whole or up to a message."""
        mine = self.unread.get((person, peer), set())
        up_to = data.draw(st.sampled_from([None, *sorted(mine)]))
        with self.engine.begin() as connection:
            count = conversations.mark_read(connection, person, peer_id=peer, up_to_id=up_to)
            told = outbox_of(connection)
        read = {id for id in mine if up_to is None or id <= up_to}
        mine -= read
        assert count == len(read)
        assert told == ([ConversationRead(person, peer, max(read), len(mine))] if read else [])

    @rule(person=st.sampled_from(PEOPLE))
    def read_all(self, person: int) -> None:
        """Reading everything."""
        with self.engine.begin() as connection:
            count = conversations.mark_all_read(connection, person)
            told = outbox_of(connection)
        mine = [ids for (who, _), ids in self.unread.items() if who == person and ids]
        assert count == sum(map(len, mine))
        assert told == ([AllRead(person, max(map(max, mine)), 0)] if mine else [])
        for ids in mine:
            ids.clear()

    @rule()
    def repeat(self) -> None:
        """Persisting and expanding what is done already changes nothing."""
        with self.engine.begin() as connection:
            assert persistence.persist(connection, self.sent + self.broadcasts) == []
            for id in self.broadcasts:
                assert not expansion.expand_chunk(connection, Chunk(id, 0, 7, ()), lease=LEASE)

    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        """Taking a message back takes it out of every count, once."""
        if not self.sent:
            return
        id = data.draw(st.sampled_from(self.sent))
        with self.engine.begin() as connection:
            found = lookup.find_message(connection, id)
            assert found is not None
            was_there = recalls.recall(connection, found.message)
            told = outbox_of(connection)
        there = tuple((copy.peer_id, (copy.user_id,)) for copy in make_deliveries(found.message))
        assert [list_recalled_people(event) for event in told] == (
            [set(there)] if was_there else []
        )
        for ids in self.unread.values():
            ids.discard(id)

    @invariant()
    def counters_are_exact(self) -> None:
        """Every counter equals the model and a recount; totals are their sums."""
        with self.engine.begin() as connection:
            assert find_drift(connection) == []
            for person in PEOPLE:
                listed = {
                    c.peer_id: c.unread_count
                    for c in conversations.list_conversations(connection, person)
                }
                model = {p: len(ids) for (who, p), ids in self.unread.items() if who == person}
                assert {p: n for p, n in listed.items() if n} == {
                    p: n for p, n in model.items() if n
                }
                assert set(listed) <= set(model)
                assert conversations.count_unread(connection, person).messages == sum(
                    model.values()
                )

    def persist_send(self, send: Any) -> int:
        """Accept and persist; its id."""
        with self.engine.begin() as connection:
            ids = accept(connection, send)
            persistence.persist(connection, ids)
            return ids[0]


@pytest.mark.timeout(300)
def test_unread_counters_never_drift(engine: Engine) -> None:
    """Any sequence of sends, broadcasts, reads, recalls and repeats leaves every counter exact."""
    with engine.begin() as connection:
        add_people(connection, PEOPLE)
        add_app(connection)

    class OnThisDatabase(Counters):
        pass

    OnThisDatabase.engine = engine
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_counter_below_zero_is_refused_by_the_database(engine: Engine) -> None:
    """PostgreSQL aborts a transaction that would make an unread counter negative."""
    from sqlalchemy.exc import IntegrityError

    with engine.begin() as connection:
        persistence.persist(connection, accept(connection, a_send()))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE conversations SET unread_count = unread_count - 5"))
