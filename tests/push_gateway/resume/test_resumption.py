"""What a client that resumes is given, and what it is spared."""

import pytest

from storage.model.event import Disconnect
from tests.push_gateway.resume.interleaving import Interleaving

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
