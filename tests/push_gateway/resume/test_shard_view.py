"""Gaps of a stream are noticed, and recalls are remembered."""

import pytest

from push_gateway.resume import shard_view
from storage.model.event import MessageRecalled
from tests.push_gateway.resume.device import Device
from tests.push_gateway.resume.interleaving import Interleaving

pytestmark = pytest.mark.pure


def lose_two_of_three(story: Interleaving) -> Device:
    """A client that saw one event and left; since then one was trimmed away and one is there."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.disconnect(0)
    story.publish([{16}, {16}])
    story.bus.trim(1)
    return story.devices[0]


def test_a_position_older_than_the_bus_is_told_to_resync(story: Interleaving) -> None:
    """A process that started after the trim cannot replay what is gone, and tells a client that resumes RESYNC."""
    device = lose_two_of_three(story)
    story.start_gateway()
    story.connect(0, resumes=True)
    assert device.told == []
    assert device.known == {"n1.0", "n2.0", "n3.0"}


def test_a_position_before_a_gap_of_the_feed_is_told_to_resync(story: Interleaving) -> None:
    """A process whose feed missed something tells a client that resumes from before the gap RESYNC, and replays nothing."""
    device = lose_two_of_three(story)
    story.feed._survey_at = 0.0
    story.step_feed()
    story.connect(0, resumes=True)
    assert device.told == []
    assert device.known == {"n1.0", "n2.0", "n3.0"}


def test_a_position_behind_an_unnoticed_gap_is_told_to_resync(
    story: Interleaving,
) -> None:
    """A client that was told an event behind a trimmed one, and left before the gap was noticed, is told RESYNC when it resumes."""
    device = story.devices[0]
    story.connect(0, resumes=False)
    story.publish([{16}, {16}])
    story.bus.trim(1)
    story.step_feed()
    assert device.told == ["n2.0"]
    story.disconnect(0)
    story.settle()
    story.connect(0, resumes=True)
    assert device.known == {"n1.0", "n2.0"}


def test_a_message_that_comes_after_its_recall_is_never_shown(story: Interleaving) -> None:
    """A message whose publisher was held up past its recall is shown neither to a live client nor to one that resumes."""
    story.connect(0, resumes=False)
    story.publish([{16}])
    story.step_feed()
    story.connect(3, resumes=True)
    story.disconnect(3)
    late = story._commit({16})
    story.bus.publish(MessageRecalled(late.message.id, late.recipients))
    story.bus.publish(late)
    story.step_feed()
    story.publish([{16}])
    story.step_feed()
    story.devices[3].pos = story.devices[0].pos
    assert story.devices[0].told == ["n1.0", "n3.0"]
    story.devices[3].pos = story.gateway.bus_view.format_position(
        16, story.bus.streams[0].entries[0][0]
    )
    story.connect(3, resumes=True)
    assert story.devices[3].told == ["n3.0"]


def test_memory_of_recalls_is_bounded(story: Interleaving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard remembers its latest recalls, and no more than REMEMBERED_RECALLS of them."""
    monkeypatch.setattr(shard_view, "REMEMBERED_RECALLS", 10)
    for number in range(1, 31):
        story.bus.publish(MessageRecalled(1000 + number, ((-7, (16,)),)))
    for _ in range(12):
        story.step_feed()
    assert len(story.gateway.bus_view._shards[0]._recalled_keys) == 10
