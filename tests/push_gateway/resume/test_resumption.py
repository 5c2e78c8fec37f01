"""What a client that resumes is given, and what it is spared."""

import pytest

from storage.model.event import Disconnect
from tests.push_gateway.resume.device import Device
from tests.push_gateway.resume.interleaving import Interleaving
from tests.push_gateway.resume.traffic import Kind

pytestmark = pytest.mark.pure


def test_a_person_disabled_during_the_handshake_is_not_let_in(story: Interleaving) -> None:
    """A Disconnect between the check of a person and their admission closes the new connection with 4500."""
    story.begin_handshake(0, resumes=False)
    story.bus.publish(Disconnect(16, at_ms=1))
    story.step_feed()
    story.finish_handshake(0)
    assert story.devices[0].close_code == 4500
    assert len(story.gateway.hub) == 0


def test_a_person_enabled_again_may_resume_past_their_disconnect(story: Interleaving) -> None:
    """An old Disconnect among the missed events of a person who was enabled again closes nothing."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.bus.publish(Disconnect(16, at_ms=1))
    story.publish([{16}])
    story.step_feed()
    story.connect(0, resumes=True)
    assert story.devices[0].close_code is None
    assert story.devices[0].told == ["n2.0"]


def test_a_message_recalled_while_a_client_was_away_is_not_replayed(story: Interleaving) -> None:
    """A client that resumes gets the MESSAGE_RECALLED of what was recalled meanwhile, and the message itself no more."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}, {16}])
    story.recall(choice=1)
    story.recall(choice=0)
    story.settle()
    story.connect(0, resumes=True)
    device = story.devices[0]
    assert (device.told, device.recalls_told) == (["n3.0"], ["n2.0", "n1.0"])
    assert device.known == {"n3.0"}


def test_too_much_to_replay_is_told_to_resync(story: Interleaving) -> None:
    """A client that missed more than half of what may wait for it is told RESYNC: replaying it would close the client as a slow reader."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}] * 2000)
    story.settle()
    story.connect(0, resumes=True)
    assert story.devices[0].told == []
    assert len(story.devices[0].known) == 2001


def test_a_client_that_saw_hello_only_misses_nothing(story: Interleaving) -> None:
    """HELLO is where a client resumes from that was cut off behind it: with what it missed, or with RESYNC again."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}, {16}])
    story.step_feed()
    story.connect_for_a_moment(0, resumes=True)
    assert story.devices[0].types == ["HELLO"]
    story.connect(0, resumes=True)
    assert story.devices[0].told == ["n2.0", "n3.0"]
    story.devices[0].pos = "nonsense"
    story.connect_for_a_moment(0, resumes=True)
    story.connect(0, resumes=True)
    assert story.devices[0].types == ["HELLO", "RESYNC"]


def test_who_was_told_nothing_can_resume_all_the_same(story: Interleaving) -> None:
    """A client to which nothing happened resumes from HELLO, and later from POSITION when the bus has long forgotten what HELLO stood at."""
    story.connect(0, resumes=False)
    for number in range(20):
        story.publish([{32}])
        if number == 10:
            story.tell_positions()
            assert story.devices[0].types == ["HELLO", "POSITION"]
        story.trim(keep=2)
        story.step_feed()
        story.gateway.bus_view._shards[0].buffer.drop_before(story.bus.now - 2)
    story.tell_positions()
    story.disconnect(0)
    story.publish([{16}])
    story.step_feed()
    story.connect(0, resumes=True)
    assert story.devices[0].types == ["HELLO", "NEW_MESSAGE"]


def test_who_was_told_something_is_not_told_their_position(story: Interleaving) -> None:
    """POSITION is for clients that were told nothing since their shard's last turn."""
    for index in (0, 1):
        story.connect(index, resumes=False)
    story.tell_positions()
    story.publish([{16}])
    story.tell_positions()
    assert story.devices[0].types == ["HELLO", "POSITION", "NEW_MESSAGE", "POSITION"]
    assert story.devices[1].types == ["HELLO", "POSITION", "POSITION", "POSITION"]


def test_nobody_is_told_a_position_behind_a_gap_that_was_not_noticed(story: Interleaving) -> None:
    """What was trimmed before it was read is noticed by a survey, and only what a survey has verified is told as POSITION."""
    story.connect(0, resumes=False)
    story.publish([{32}])
    story.trim(keep=0)
    story.publish([{32}])
    story.gateway.dispatcher._positions_told = 0
    story.step_feed()
    story.gateway.dispatcher._positions_told = 0
    story.step_feed()
    assert story.devices[0].types == ["HELLO"]
    story.tell_positions()
    assert story.devices[0].types[1] == "RESYNC"


def test_a_position_told_is_never_before_what_another_process_told(story: Interleaving) -> None:
    """A client that another process has told more than this one has read gets no POSITION until this one is as far."""
    story.publish([{16}])
    story.step_feed()
    story.publish([{16}])
    device = story.devices[0]
    device.pos = story.gateway.bus_view.format_position(16, story.bus.streams[0].entries[1][0])
    story.connect(0, resumes=True)
    story.gateway.dispatcher._positions_told = 0
    story.gateway.dispatcher._tell_position(0)
    story.gateway.dispatcher._tell_position(0)
    assert device.types == ["HELLO"]
    story.tell_positions()
    story.tell_positions()
    assert set(device.types[1:]) == {"POSITION"}


def test_what_was_read_over_rest_and_recalled_is_taken_back(story: Interleaving) -> None:
    """A client that read a message over REST before its event, and was away when it was recalled, is told so."""
    story.commit_without_publishing(audience={16})
    story.connect_for_a_moment(0, resumes=False)
    assert story.devices[0].known == {"n1.0"}
    story.settle()
    story.recall(choice=0)
    story.settle()
    story.connect(0, resumes=True)
    assert story.devices[0].types == ["HELLO", "MESSAGE_RECALLED"]
    assert story.devices[0].known == set()


def go_away(story: Interleaving) -> Device:
    """A client that saw the first message, in its first form, and left."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    return story.devices[0]


def change(story: Interleaving, choice: int, count: int, *, ages: list[int]) -> None:
    """A message changes; its changes are published in this order, the newest of them has age 0."""
    story.change(choice, count=count, burst=[(Kind.CHANGE, age) for age in ages])


def test_a_missed_message_comes_at_its_place_in_its_newest_form(story: Interleaving) -> None:
    """A message that a client missed, with its changes, is replayed as one NEW_MESSAGE, before what was sent after it."""
    device = go_away(story)
    story.publish([{16}])
    change(story, 1, 1, ages=[0])
    story.publish([{16}])
    change(story, 1, 2, ages=[1, 0])
    story.settle()
    story.connect(0, resumes=True)
    assert device.types == ["HELLO", "NEW_MESSAGE", "NEW_MESSAGE"]
    assert device.forms_told == [("n2.0", 4), ("n3.0", 1)]


def test_missed_changes_come_as_the_newest_alone(story: Interleaving) -> None:
    """Of the changes of a message from before, a client that resumes is told the newest, at its place."""
    device = go_away(story)
    change(story, 0, 2, ages=[1])
    story.publish([{16}])
    change(story, 0, 1, ages=[0, 1])
    story.settle()
    story.connect(0, resumes=True)
    assert device.types == ["HELLO", "NEW_MESSAGE", "MESSAGE_UPDATED"]
    assert device.forms_told == [("n2.0", 1), ("n1.0", 4)]


def test_who_is_cut_off_in_the_middle_misses_no_change(story: Interleaving) -> None:
    """A client that is cut off between a replayed message and the place of its change, or before a change, ends with the newest form."""
    device = go_away(story)
    story.publish([{16}])
    change(story, 0, 1, ages=[0])
    story.publish([{16}])
    change(story, 1, 1, ages=[0])
    change(story, 0, 1, ages=[0])
    story.settle()
    for frames, told in ((2, [("n2.0", 2)]), (2, [("n3.0", 1)]), (4, [("n2.0", 2), ("n1.0", 3)])):
        story.connect_for_a_moment(0, resumes=True, frames=frames)
        device.forms_told = device.forms_told[: frames - 1]
        assert device.forms_told == told
    assert device.versions == {"n1.0": 3, "n2.0": 2, "n3.0": 1}
    story.connect(0, resumes=True)
    assert device.types == ["HELLO"]


def test_a_message_that_came_late_is_replayed_in_the_form_told_before(story: Interleaving) -> None:
    """A message that was published after its change, in an older form, is replayed in the newer form to a client that saw the change."""
    device = go_away(story)
    story.commit_without_publishing({16})
    change(story, 1, 1, ages=[0])
    story.step_feed()
    story.connect_for_a_moment(0, resumes=True, frames=2)
    assert device.forms_told == [("n2.0", 2)]
    story.change(1, count=0, burst=[(Kind.MESSAGE, 1)])
    story.step_feed()
    story.connect(0, resumes=True)
    assert (device.types, device.forms_told) == (["HELLO", "NEW_MESSAGE"], [("n2.0", 2)])


def test_no_change_of_a_recalled_message_is_replayed(story: Interleaving) -> None:
    """Of a message that was changed and recalled meanwhile a client that resumes is told the recall alone."""
    device = go_away(story)
    change(story, 0, 1, ages=[0])
    story.publish([{16}])
    change(story, 1, 1, ages=[0])
    for choice in (0, 1):
        story.recall(choice)
    story.settle()
    story.connect(0, resumes=True)
    assert device.types == ["HELLO", "MESSAGE_RECALLED", "MESSAGE_RECALLED"]
