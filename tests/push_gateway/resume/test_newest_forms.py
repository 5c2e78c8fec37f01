"""Of a message that changes nobody is told an older form after a newer one (contract §8)."""

import pytest

from push_gateway.resume import newest_forms
from storage.model.event import Event, MessageRecalled
from storage.valkey.event_json import encode_event
from tests.push_gateway.resume.interleaving import Interleaving
from tests.push_gateway.running import put_in_form, to_all, update

pytestmark = pytest.mark.pure

CARD = to_all(1, [16, 17])
NEW, UPDATED = "NEW_MESSAGE", "MESSAGE_UPDATED"

Told = list[tuple[str, int]]


def tell(story: Interleaving, *events: Event) -> Told:
    """What a client that is connected is told of the message's forms: type and version of each frame."""
    device = story.devices[0]
    story.record.commit({16, 17})
    for _ in range(8):
        story.record.change(1)
    story.record.reordered.add(CARD.key)
    story.connect(0, resumes=False)
    for event in events:
        story.bus.publish(event)
    for _ in range(len(events)):
        story.step_feed()
    types = [type for type in device.types if type in {NEW, UPDATED}]
    return list(zip(types, (version for _, version in device.forms_told), strict=True))


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([CARD, update(CARD, 2), update(CARD, 3)], [(NEW, 1), (UPDATED, 2), (UPDATED, 3)]),
        ([CARD, update(CARD, 3), update(CARD, 2)], [(NEW, 1), (UPDATED, 3)]),
        ([CARD, update(CARD, 2), update(CARD, 2)], [(NEW, 1), (UPDATED, 2)]),
        ([update(CARD, 3), CARD, update(CARD, 2)], [(UPDATED, 3), (NEW, 3)]),
        ([update(CARD, 2), put_in_form(CARD, 3), update(CARD, 3)], [(UPDATED, 2), (NEW, 3)]),
        ([put_in_form(CARD, 3), update(CARD, 2), update(CARD, 3)], [(NEW, 3)]),
        ([put_in_form(CARD, 3), CARD, put_in_form(CARD, 2)], [(NEW, 3)]),
        ([CARD, put_in_form(CARD, 2), update(CARD, 2)], [(NEW, 1), (UPDATED, 2)]),
        ([update(CARD, 2), CARD, CARD, put_in_form(CARD, 3)], [(UPDATED, 2), (NEW, 2), (UPDATED, 3)]),
    ],
)  # fmt: skip
def test_live_clients_are_told_forms_that_rise(
    story: Interleaving, events: list[Event], told: Told
) -> None:
    """Whatever order publishers bring a message's forms in, a client gets the message once and each form at most once, none after a newer one."""
    assert tell(story, *events) == told


def test_nothing_is_told_of_a_message_after_its_recall(story: Interleaving) -> None:
    """A change that comes after the recall of its message is dropped, also where the recall came before the message."""
    recall = MessageRecalled(1, CARD.recipients)
    assert tell(story, recall, update(CARD, 2), CARD, update(CARD, 3)) == []


def test_forms_are_those_of_one_part_of_a_broadcast(story: Interleaving) -> None:
    """The people of one chunk are told of a change that those of another chunk on the same shard were told before."""
    for index in (0, 1):
        story.connect(index, resumes=False)
    parts = story.record.commit({16}, {32})
    changes = story.record.change(1)
    for event in (*parts, changes[0]):
        story.bus.publish(event)
    for _ in range(3):
        story.step_feed()
    assert story.devices[1].forms_told == [("n1.1", 1)]
    story.bus.publish(changes[1])
    story.step_feed()
    assert [device.forms_told[-1][1] for device in story.devices[:2]] == [2, 2]


def test_forms_outlive_a_restart_of_the_bus(story: Interleaving) -> None:
    """After Valkey was restarted a gateway still knows which forms it has told."""
    assert tell(story, CARD, update(CARD, 3)) == [(NEW, 1), (UPDATED, 3)]
    story.restart_bus(lost=0)
    story.settle()
    assert story.devices[0].types[-1] == "RESYNC"
    for version in (2, 4):
        story.bus.publish(update(CARD, version))
    story.step_feed()
    assert story.devices[0].forms_told == [(CARD.key, version) for version in (1, 3, 4)]


@pytest.mark.parametrize("limit", ["REMEMBERED_FORMS", "REMEMBERED_BYTES"])
def test_memory_of_forms_is_bounded(
    story: Interleaving, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A shard remembers the forms that were told last, within a number of them and of bytes, and none of messages that never changed."""
    [(_, payload)] = encode_event(update(to_all(100, [16]), 2))
    size = len(payload)
    monkeypatch.setattr(newest_forms, limit, 10 if limit == "REMEMBERED_FORMS" else 10 * size)
    for number in range(100, 130):
        story.bus.publish(to_all(number, [16]))
        story.bus.publish(update(to_all(number, [16]), 2))
    for number in range(130, 150):
        story.bus.publish(to_all(number, [16]))
    for _ in range(30):
        story.step_feed()
    forms = story.gateway.bus_view._shards[0]._forms
    assert sorted(forms._forms) == [f"n{number}.0" for number in range(120, 130)]
    assert forms._bytes == 10 * size
    for number in range(120, 130):
        story.bus.publish(MessageRecalled(number, ((-7, (16,)),)))
    for _ in range(5):
        story.step_feed()
    assert (forms._forms, forms._bytes) == ({}, 0)
