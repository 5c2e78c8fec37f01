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
    """A client that resumes gets no recalled message that it has not seen, and the MESSAGE_RECALLED of one that it has seen."""
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
    assert (device.told, device.recalls_told) == (["n3.0"], ["n1.0"])
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
