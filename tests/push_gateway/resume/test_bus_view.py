"""Resume under any interleaving: every event reaches every client once, or the client is told."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.push_gateway.resume.interleaving import Interleaving
from tests.push_gateway.resume.traffic import Traffic

pytestmark = pytest.mark.pure

EXAMPLES = settings(max_examples=400, stateful_step_count=20, deadline=None)


def test_every_event_reaches_every_client_once_or_the_client_is_told() -> None:
    """Whatever is lost, repeated, reordered, trimmed, wiped or cut off, and whenever clients come, each event reaches each client once, or the client is told RESYNC."""
    run_state_machine_as_test(Interleaving, settings=EXAMPLES)


def test_every_client_ends_with_the_newest_form_and_is_shown_none_after_a_newer_one() -> None:
    """Whatever order publishers bring the forms of messages in, and whenever clients come, nobody is told an older form after a newer one, and all end with the record's (contract §8)."""
    run_state_machine_as_test(Traffic, settings=EXAMPLES)


def test_a_client_let_in_while_the_bus_restarts_misses_nothing() -> None:
    """A client whose handshake began before a restart of Valkey was noticed misses nothing (once found by thousands of examples)."""
    story = Interleaving()
    for _ in range(6):
        story.commit_without_publishing(audience={16})
    story.restart_bus(lost=0)
    for index in (0, 0, 1):
        story.step_feed_with_clients_in_between(moves=[(index, False)])
    story.commit_without_publishing(audience={16})
    story.settle()
    story.teardown()


def test_what_was_trimmed_and_published_again_is_news_to_a_new_process(
    story: Interleaving,
) -> None:
    """A new process tells an event again that was trimmed and is on the bus once more behind what the client was told (once found by thousands of examples)."""
    story.connect(0, resumes=False)
    story.publish([{16}, {16}])
    story.settle()
    story.trim(keep=1)
    story.publish_again(choice=0)
    story.start_gateway()
    story.connect(0, resumes=True)
    assert story.devices[0].told == ["n1.0"]
    story.teardown()


def test_what_another_process_has_told_is_not_told_again(story: Interleaving) -> None:
    """A client whose position is ahead of this process gets only live events from there on."""
    story.publish([{16}])
    story.step_feed()
    story.publish([{16}, {16}])
    device = story.devices[0]
    device.pos = story.gateway.bus_view.format_position(16, story.bus.streams[0].entries[1][0])
    story.connect(0, resumes=True)
    story.step_feed()
    assert device.told == ["n3.0"]


@pytest.mark.parametrize(
    "pos",
    ["", "x", "00000000-1", "00000000-1-x", "ffffffff-1-0-16", "00000000-1000001-0", "0" * 99],
)
def test_a_position_that_means_nothing_is_told_to_resync(story: Interleaving, pos: str) -> None:
    """Any text may be sent as `since`: what is no position is answered RESYNC, and is never an error."""
    story.devices[0].pos = pos
    story.publish([{16}])
    story.connect(0, resumes=True)
    assert story.devices[0].known == {"n1.0"}


def test_the_position_of_another_person_is_told_to_resync(story: Interleaving) -> None:
    """A position of another person is answered RESYNC: of the same shard or of another, of one person or shared by several."""
    mine = story.devices[0]
    for audience in ({16}, {17}, {32}, {32, 17}):
        story.publish([audience])
    for index in (0, 1, 2):
        story.connect(index, resumes=False)
    story.publish([{32}, {17}])
    for _ in range(3):
        story.step_feed()
    theirs = [story.devices[1].pos, story.devices[2].pos]
    shard_16, shard_17 = story.bus.streams[0], story.bus.streams[1]
    theirs += [
        story.gateway.bus_view.format_shared_position(0, shard_16.entries[-1][0]),
        story.gateway.bus_view.format_shared_position(1, shard_17.entries[-1][0]),
    ]
    for pos in theirs:
        story.disconnect(0)
        mine.pos, mine.known = pos, set()
        story.connect(0, resumes=True)
        assert mine.known == set(mine.history), pos


def test_a_position_that_several_share_is_good_for_each_of_them(story: Interleaving) -> None:
    """Each of several people who were told an event may resume after it: the next event comes, and that one not again."""
    for index in (0, 1):
        story.connect(index, resumes=False)
    story.publish([{16, 32}])
    story.step_feed()
    assert story.devices[0].pos == story.devices[1].pos
    for index in (0, 1):
        story.disconnect(index)
    story.publish([{16, 32}])
    story.step_feed()
    for index in (0, 1):
        story.connect(index, resumes=True)
        assert story.devices[index].told == ["n2.0"]
