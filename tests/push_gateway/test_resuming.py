"""Resuming on real sockets, and what damage to the bus is told to clients."""

import time

import redis

from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from storage.model.event import MessageRecalled, NewMessage
from storage.valkey.bus import Bus
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import Gateway, put_in_form, to_all, to_both, update, wait_for


def test_who_comes_back_gets_what_they_missed_then_what_is_new(gateway: Gateway, bus: Bus) -> None:
    """A client that comes back with `since` gets what it missed in order, then live events, without a gap or a repeat (contract §5)."""
    client = gateway.connect(5)
    bus.publish([to_both(20, 1, 5)])
    pos = client.frame()["pos"]
    client.close()
    bus.publish([to_both(number, 1, 5) for number in range(21, 24)])
    back = gateway.connect(5, since=pos)
    bus.publish([to_both(24, 1, 5)])
    assert back.ids(4) == [21, 22, 23, 24]
    back.ping()


def test_who_saw_nothing_but_hello_resumes(gateway: Gateway, bus: Bus) -> None:
    """The first frame is HELLO with the server's time; a client that saw nothing else resumes from its `pos`."""
    client = gateway.connect(5)
    assert list(client.hello) == ["type", "pos", "data"]
    assert abs(client.hello["data"]["server_time_ms"] - time.time() * 1000) < 20_000
    client.close()
    bus.publish([to_both(25, 1, 5)])
    back = gateway.connect(5, since=client.hello["pos"])
    assert back.ids(1) == [25]
    back.ping()


def test_a_client_that_is_told_nothing_is_told_its_position(
    launch: Launch, bus: Bus, control: redis.Redis
) -> None:
    """A client to which nothing happens gets POSITION, and resumes from its `pos`."""
    gateway = launch(CARILLON_PUSH_SILENCE_SECONDS="1")
    client = gateway.connect(70)

    def is_told() -> bool:
        control.client_kill_filter(
            _type="normal", skipme=True
        )  # each reconnect begins with a survey
        try:
            return bool(client.frame(seconds=0.2)["type"] == "POSITION")
        except TimeoutError:
            return False

    assert wait_until(is_told, seconds=20)
    pos = client.last["pos"]
    client.close()
    publish_despite_cuts(bus, to_both(26, 1, 70))
    assert gateway.connect(70, since=pos).ids(1) == [26]


def test_the_position_of_another_person_is_told_to_resync(gateway: Gateway, bus: Bus) -> None:
    """A client that shows a position of another person of its shard gets RESYNC, then live events."""
    theirs = gateway.connect(7)
    bus.publish([to_both(40, 1, 7), to_both(41, 1, 23)])
    pos = theirs.frame()["pos"]
    me = gateway.connect(23, since=pos)
    assert me.frame()["type"] == "RESYNC"
    bus.publish([to_both(42, 1, 23)])
    assert me.ids(1) == [42]


def test_what_was_recalled_meanwhile_is_not_replayed(launch: Launch, bus: Bus) -> None:
    """Neither the gateway that told of a message nor a new process replays the text of a recalled message or broadcast."""
    first = launch()
    client = first.connect(37)
    bus.publish([to_both(50, 1, 37)])
    pos = client.frame()["pos"]
    bus.publish([to_both(51, 1, 37), to_all(52, [37, 53], part=3), to_both(53, 1, 37)])
    bus.publish(
        [
            MessageRecalled(51, ((1, (37,)), (37, (1,)))),
            MessageRecalled(52, ((-7, (37, 53)),), part=3),
            MessageRecalled(50, ((1, (37,)), (37, (1,)))),
        ]
    )
    for gateway in (first, launch()):
        back = gateway.connect(37, since=pos)
        told = [(frame["type"], frame["data"]["id"]) for frame in back.frames(4)]
        assert told == [("NEW_MESSAGE", 53), *(("MESSAGE_RECALLED", id) for id in (51, 52, 50))]
        back.ping()


def test_what_changed_meanwhile_comes_in_its_newest_form_alone(launch: Launch, bus: Bus) -> None:
    """The gateway that told of a card and a new process replay a missed card and a missed change in the newest form alone (contract §8)."""
    first = launch()
    client = first.connect(38)
    old, new = to_all(70, [38, 54]), to_all(71, [38, 54])
    bus.publish([old])
    pos = client.frame()["pos"]
    client.close()
    bus.publish([update(old, 3), new, update(new, 2), to_both(72, 1, 38), update(old, 2)])
    bus.publish([update(new, 3), put_in_form(new, 2), update(old, 4)])
    for gateway in (first, launch()):
        back = gateway.connect(38, since=pos)
        told = [(frame["type"], frame["data"]["id"]) for frame in back.frames(3)]
        assert told == [("NEW_MESSAGE", 71), ("NEW_MESSAGE", 72), ("MESSAGE_UPDATED", 70)]
        assert back.last["data"]["version"] == 4
        assert back.last["data"]["content"] == "第70条, 4"
        back.ping()


def test_who_comes_back_to_a_new_process_misses_nothing(launch: Launch, bus: Bus) -> None:
    """A gateway is killed and another replays what was published meanwhile: positions outlive their process."""
    first = launch()
    client = first.connect(5)
    bus.publish([to_both(30, 1, 5)])
    pos = client.frame()["pos"]
    first.kill()
    bus.publish([to_both(31, 1, 5)])
    back = launch().connect(5, since=pos)
    assert back.ids(1) == [31]


def test_an_unknown_position_is_told_to_resync_and_can_resume_from_there(
    gateway: Gateway, bus: Bus
) -> None:
    """RESYNC carries a position, from which the client may resume the next time."""
    client = gateway.connect(5, since="nonsense")
    frame = client.frame()
    assert frame["type"] == "RESYNC"
    client.close()
    bus.publish([to_both(40, 1, 5)])
    back = gateway.connect(5, since=frame["pos"])
    assert back.ids(1) == [40]


def test_a_wipe_of_the_bus_is_told_to_everyone(
    gateway: Gateway, bus: Bus, control: redis.Redis
) -> None:
    """After FLUSHALL every socket gets one RESYNC, and live events go on (fault row 10)."""
    clients = [gateway.connect(user_id) for user_id in (50, 51)]
    control.flushall()
    for client in clients:
        assert client.frame()["type"] == "RESYNC"
    bus.publish([to_both(51, 50, 51)])
    for client in clients:
        assert client.ids(1) == [51]
        client.ping()


def test_a_cut_feed_loses_nothing_and_tells_nobody(
    gateway: Gateway, bus: Bus, control: redis.Redis
) -> None:
    """When the feed's connection is cut in a stream of events all of them arrive in order, and no RESYNC (fault row 26)."""
    client = gateway.connect(52)
    failures = gateway.metric("carillon_feed_failures_total")
    for number in range(100, 200):
        if number % 20 == 0:
            control.client_kill_filter(_type="normal", skipme=True)
        publish_despite_cuts(bus, to_both(number, 1, 52))
    assert client.ids(100) == list(range(100, 200))
    client.ping()
    assert gateway.metric("carillon_feed_failures_total") > failures


def publish_despite_cuts(bus: Bus, event: NewMessage) -> None:
    """Publish an event, again if the publisher's own connection was cut."""
    for _ in range(5):
        try:
            bus.publish([event])
        except Exception:  # noqa: BLE001 (the connection was cut: that is the point)
            continue
        return
    raise AssertionError("could not publish")


def test_a_restart_of_valkey_is_told_to_everyone(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """After Valkey was killed and started every socket gets RESYNC once, and live events go on (fault row 8)."""
    client = gateway.connect(53)
    valkey.kill()
    valkey.start()
    assert client.frame()["type"] == "RESYNC"
    wait_for(gateway.is_ready)
    bus_of_53 = to_both(60, 1, 53)
    try:
        bus.publish([bus_of_53])
    except Exception:  # noqa: BLE001 (a pooled connection of before)
        bus.publish([bus_of_53])
    assert client.ids(1) == [60]
