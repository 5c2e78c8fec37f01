"""Erasing a person: what goes, what stays for the others, and that nobody comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastStatus
from storage.model.erasure import ERASED_NAME, Erasure
from storage.model.errors import InConflict, NotFound
from storage.model.message import ContentType
from storage.postgres import audit
from storage.postgres.broadcasts import expansion, planning
from storage.postgres.broadcasts.planning import PlanLimits
from storage.postgres.messages import conversations, history, lookup, persistence, recalls
from storage.postgres.people import directory, people_import
from storage.postgres.people.mappings_import import NewMapping, UnknownUser, import_mappings
from storage.postgres.people.people_import import NewPerson
from storage.postgres.personal_data import erasure_steps, erasures
from storage.postgres.sends.failed_sends import move_to_failed
from tests.builders import (
    a_broadcast,
    a_notification,
    a_send,
    accept,
    add_app,
    add_people,
)
from tests.counters import find_drift
from tests.storage.postgres.broadcasts.steps import LEASE, expand_all, plan_all, report
from tests.storage.postgres.personal_data.steps import LI, begin, let_time_pass, work_off

WANG = 2


@pytest.fixture(autouse=True)
def people_and_app(engine: Engine) -> None:
    """Li, Wang and twenty-three others, and app 7, in which Li has an account."""
    with engine.begin() as connection:
        add_people(connection, range(1, 26))
        add_app(connection)
        connection.execute(text("INSERT INTO mappings VALUES (7, 'li.na', 1, 'li@example.com')"))


def deliver(engine: Engine, *sends: Any) -> list[int]:
    """Accept and persist sends; returns their ids."""
    with engine.begin() as connection:
        ids = accept(connection, *sends)
        persistence.persist(connection, ids)
    return ids


def erase(engine: Engine, user_id: int = LI) -> list[str]:
    """Erase somebody to the end; returns the keys of uploads to delete."""
    begin(engine, user_id)
    work_off(engine)
    let_time_pass(engine)
    return work_off(engine)


def find(engine: Engine, user_id: int = LI) -> Erasure:
    """How far the erasure is."""
    with engine.begin() as connection:
        found = erasures.find(connection, user_id)
    assert found is not None
    return found


def count(engine: Engine, question: str, **asked: Any) -> int:
    """The number that a question has for its answer."""
    with engine.begin() as connection:
        return int(connection.execute(text(question), asked).scalar_one())


def has_message(engine: Engine, id: int) -> bool:
    """Whether the record still has the message."""
    return bool(count(engine, "SELECT count(*) FROM messages WHERE id = :id", id=id))


def test_what_an_erased_person_wrote_stays_for_the_others_without_a_name(engine: Engine) -> None:
    """Wang keeps both sides of the conversation and its counter; Li has no name, no mobile, no account and no copy."""
    [mine] = deliver(engine, a_send(content="from Li"))
    [theirs] = deliver(engine, a_send(sender_id=WANG, receiver_id=LI, content="from Wang"))
    [notice] = deliver(engine, a_notification(LI))
    erase(engine)
    with engine.begin() as connection:
        kept = history.list_history(connection, WANG, peer_id=LI)
        [listed] = conversations.list_conversations(connection, WANG)
        assert history.list_history(connection, LI, peer_id=WANG) == []
        assert conversations.list_conversations(connection, LI) == []
        person = directory.find(connection, LI)
    assert [(one.message.id, one.message.content) for one in kept] == [
        (theirs, "from Wang"),
        (mine, "from Li"),
    ]
    assert kept[0].read_at is None, "nobody knows any more whether Li read it"
    assert (listed.peer_name, listed.peer_username, listed.unread_count) == (ERASED_NAME, "", 1)
    assert person is not None
    assert (person.name, person.mobile, person.english_name) == (ERASED_NAME, "", "")
    assert not person.is_active
    assert not has_message(engine, notice)
    left = "SELECT (SELECT count(*) FROM deliveries WHERE user_id = 1) + (SELECT count(*) FROM mappings)"
    assert count(engine, left) == 0
    done = find(engine)
    assert done.finished_at is not None
    assert (done.deliveries, done.messages) == (3, 1)


def test_the_other_can_still_take_back_what_they_wrote(engine: Engine) -> None:
    """A message to an erased person is recalled out of its writer's history, and counters stay right."""
    [id] = deliver(engine, a_send(sender_id=WANG, receiver_id=LI))
    erase(engine)
    with engine.begin() as connection:
        found = lookup.find_message(connection, id)
        assert found is not None
        assert recalls.recall(connection, found.message)
        assert history.list_history(connection, WANG, peer_id=LI) == []
        assert find_drift(connection) == []


def test_counters_are_right_after_every_slice(engine: Engine) -> None:
    """A long conversation goes in slices, read and unread alike, and no recount in between finds a wrong counter."""
    read = deliver(engine, *[a_notification(LI) for _ in range(5)])
    with engine.begin() as connection:
        conversations.mark_read(connection, LI, peer_id=-7, up_to_id=read[3])
    deliver(engine, *[a_notification(LI) for _ in range(6)], a_send(sender_id=WANG, receiver_id=LI))
    begin(engine)
    work_off(engine, slice=2)
    assert find(engine).deliveries == 12
    assert count(engine, "SELECT count(*) FROM conversations WHERE user_id = 1") == 0


def test_an_erased_person_is_not_found_by_any_old_name(engine: Engine) -> None:
    """Neither the name nor the mobile finds the person any more."""
    with engine.begin() as connection:
        row = NewPerson(100, "13911112222", "欧阳娜", "Ouyang Na", "ACTIVE", "")
        people_import.import_people(connection, [row])
    names = ("欧阳娜", "13911112222", "ouyang")
    with engine.begin() as connection:
        found = [directory.list_people(connection, name, skip=0, limit=1)[0] for name in names]
    assert found == [1, 1, 1]
    begin(engine, 100)
    with engine.begin() as connection:
        found = [directory.list_people(connection, name, skip=0, limit=1)[0] for name in names]
    assert found == [0, 0, 0]


def test_what_was_on_its_way_is_dropped(engine: Engine) -> None:
    """Accepted, scheduled, held and failed sends to the person go, and what the person has scheduled."""
    later = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        accept(
            connection, a_send(sender_id=WANG, receiver_id=LI), a_notification(LI, send_at=later)
        )
        accept(connection, a_send(send_at=later))
        [failed] = accept(connection, a_notification(LI))
        move_to_failed(connection, [failed])
        [other] = accept(connection, a_send(sender_id=WANG, receiver_id=3))
        connection.execute(
            text(
                "INSERT INTO held_sends (id, app_id, payload) VALUES"
                """ (5, 7, '{"receiver_id": 1, "sender_id": null, "is_broadcast": false}'),"""
                """ (6, 7, '{"receiver_id": 3, "sender_id": null, "is_broadcast": false}')"""
            )
        )
    erase(engine)
    with engine.begin() as connection:
        assert list(connection.execute(text("SELECT id FROM accepted")).scalars()) == [other]
        assert list(connection.execute(text("SELECT id FROM held_sends")).scalars()) == [6]
        assert lookup.find_message(connection, failed) is None
    assert find(engine).sends == 5


def test_what_they_sent_last_is_delivered_and_then_their_copy_goes(engine: Engine) -> None:
    """A send of the person that waits (a paused queue) keeps the erasure open until it is delivered to the other."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
    begin(engine)
    work_off(engine)
    let_time_pass(engine)
    work_off(engine)
    assert find(engine).step == "wait"
    with engine.begin() as connection:
        persistence.persist(connection, [id])
    let_time_pass(engine)
    work_off(engine)
    assert find(engine).finished_at is not None
    with engine.begin() as connection:
        assert [one.message.id for one in history.list_history(connection, WANG, peer_id=LI)] == [
            id
        ]
    assert count(engine, "SELECT count(*) FROM deliveries WHERE user_id = 1") == 0


def test_what_comes_in_the_last_moment_goes_too(engine: Engine) -> None:
    """A send that was accepted by a process which did not know yet is gone after the second look."""
    begin(engine)
    work_off(engine)
    [late] = deliver(engine, a_notification(LI))
    assert find(engine).step == "wait"
    let_time_pass(engine)
    work_off(engine)
    assert not has_message(engine, late)
    assert count(engine, "SELECT count(*) FROM conversations WHERE user_id = 1") == 0
    assert find(engine).finished_at is not None


def test_a_broadcast_under_way_leaves_the_person_out_and_is_done(engine: Engine) -> None:
    """Of a chunk that waits the person is taken out, and the totals fit; of one that was delivered the total stays."""
    before = plan_all(engine)
    with engine.begin() as connection:
        expand_all(connection)
    under_way = plan_all(engine)
    [pending] = deliver(engine, a_broadcast())
    erase(engine)
    with engine.begin() as connection:
        expand_all(connection)
        expansion.close_if_done(connection, under_way)
        assert planning.plan_next(connection, PlanLimits(10)) is not None
    with engine.begin() as connection:
        expand_all(connection)
        seen = [report(connection, id) for id in (before, under_way, pending)]
    assert [(one.status, one.total, one.expanded) for one in seen] == [
        (BroadcastStatus.DONE, 25, 25),
        (BroadcastStatus.DONE, 24, 24),
        (BroadcastStatus.DONE, 24, 24),
    ]
    assert count(engine, "SELECT count(*) FROM deliveries WHERE user_id = 1") == 0


def test_a_chunk_of_one_person_goes_with_them(engine: Engine) -> None:
    """A broadcast to the person alone is done, with nobody."""
    id = plan_all(engine, a_broadcast(audience=(LI,)))
    erase(engine)
    with engine.begin() as connection:
        assert expansion.expand_next(connection, lease=LEASE) is None
        expansion.close_if_done(connection, id)
        assert report(connection, id).status is BroadcastStatus.DONE
        assert report(connection, id).total == 0


def test_what_they_took_back_or_nobody_has_any_more_goes(engine: Engine) -> None:
    """A recalled text goes, and the texts of two people who are both erased go with the second."""
    recalled, between = deliver(engine, a_send(), a_send())
    with engine.begin() as connection:
        found = lookup.find_message(connection, recalled)
        assert found is not None
        recalls.recall(connection, found.message)
    erase(engine)
    assert not has_message(engine, recalled)
    assert has_message(engine, between)
    erase(engine, WANG)
    assert not has_message(engine, between)


def test_uploads_that_were_sent_stay(engine: Engine) -> None:
    """What is in a message that somebody has stays; an upload that was never sent, or was taken back, is deleted."""
    keys = [f"user-1/{number:032x}.png" for number in range(3)]
    with engine.begin() as connection:
        for key in keys:
            connection.execute(
                text(
                    "INSERT INTO media_objects (key, owner, content_type, filename, size)"
                    " VALUES (:key, 'user:1', 'image/png', 'a.png', 1)"
                ),
                {"key": key},
            )
        connection.execute(
            text(
                "INSERT INTO media_objects (key, owner, content_type, filename, size)"
                " VALUES ('user-10/x', 'user:10', 'image/png', 'a.png', 1)"
            )
        )
    image = ContentType.IMAGE
    _sent, recalled = deliver(
        engine,
        a_send(content_type=image, content=keys[0]),
        a_send(content_type=image, content=keys[1]),
    )
    with engine.begin() as connection:
        found = lookup.find_message(connection, recalled)
        assert found is not None
        recalls.recall(connection, found.message)
    assert erase(engine) == keys[1:]
    assert find(engine).media == 2
    assert count(engine, "SELECT count(*) FROM media_objects") == 2


def test_an_erased_person_does_not_come_back(engine: Engine) -> None:
    """Neither an import of people or accounts nor enabling brings a name, an account or the right to sign in."""
    begin(engine)
    row = NewPerson(LI, "13900000000", "李娜", "Li Na", "ACTIVE", "ADMIN")
    with engine.begin() as connection:
        done = people_import.import_people(connection, [row])
    assert (done.erased, done.changed, done.let_in) == (1, 0, ())
    with engine.begin() as connection:
        person = directory.find(connection, LI)
    assert person is not None
    assert (person.name, person.role) == (ERASED_NAME, "ORDINARY_USER")
    with engine.begin() as connection, pytest.raises(UnknownUser):
        import_mappings(connection, 7, mappings=[NewMapping(1, "li", LI, "")])
    with engine.begin() as connection, pytest.raises(InConflict, match="erased"):
        directory.set_status(connection, LI, status="ACTIVE")


def test_erasing_twice_is_erasing_once(engine: Engine) -> None:
    """A second request finds the first; nobody is erased who is not there; the audit has no personal data."""
    erase(engine)
    assert begin(engine) == find(engine)
    assert work_off(engine) == []
    with pytest.raises(NotFound):
        begin(engine, 404)
    with engine.begin() as connection:
        rows = [
            (row.act, row.target, row.before, row.after)
            for row in audit.list_rows(connection, limit=9)
        ]
    assert rows == [("user.erase", "user 1", None, None)]


def test_erasures_take_turns_and_one_that_fails_rests(engine: Engine) -> None:
    """A failure of the media store stops one erasure for a minute, and no other."""
    begin(engine)
    begin(engine, WANG)
    with engine.begin() as connection:
        first = erasure_steps.take_step(connection, slice=3)
    with engine.begin() as connection:
        second = erasure_steps.take_step(connection, slice=3)
    assert first is not None
    assert second is not None
    assert {first.user_id, second.user_id} == {LI, WANG}
    with engine.begin() as connection:
        erasure_steps.record_failure(connection, LI, error="The media store is away.")
        [open_one] = [one for one in erasures.list_open(connection, limit=5) if one.error]
    assert open_one.user_id == LI
    with engine.begin() as connection:
        taken = erasure_steps.take_step(connection, slice=3)
    assert taken is not None
    assert taken.user_id == WANG
