"""Events on real sockets: who gets which frames."""

import asyncio

from ops.local.embedded.valkey import EmbeddedValkey
from storage.model.event import ConversationRead, MessageRecalled
from storage.settings import ValkeySettings
from storage.valkey.bus import Bus
from storage.valkey.push_questions import PushAnswer, PushQuestions
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import Gateway, put_in_form, to_all, to_both, update, wait_for


def test_a_private_message_goes_to_every_device_of_both(gateway: Gateway, bus: Bus) -> None:
    """Every device of both people gets a private message once, each with the other as its conversation; nobody else does."""
    mine, mine_too, theirs, other = (gateway.connect(user) for user in (1, 1, 2, 3))
    bus.publish([to_both(10, 1, 2), to_all(11, [3])])
    for device, conversation in ((mine, 2), (mine_too, 2), (theirs, 1)):
        frame = device.frame()
        assert frame["data"]["id"] == 10
        assert frame["data"]["conversation_id"] == conversation
        device.ping()  # nothing else came before it
    assert other.ids(1) == [11]


def test_a_broadcast_reaches_everyone_connected_once(gateway: Gateway, bus: Bus) -> None:
    """A broadcast to thousands is one frame for each who is connected here, published twice or not."""
    clients = [gateway.connect(user_id) for user_id in range(100, 150)]
    event = to_all(12, range(100, 5000))
    bus.publish([event, event])
    bus.publish([event])
    for client in clients:
        assert client.ids(1) == [12]
        client.ping()


def test_read_state_and_recalls_are_pushed(gateway: Gateway, bus: Bus) -> None:
    """CONVERSATION_READ goes to its reader alone, MESSAGE_RECALLED to all who had the message."""
    reader, other = gateway.connect(1), gateway.connect(2)
    bus.publish([ConversationRead(1, 2, 10, 0), MessageRecalled(10, ((1, (2,)), (2, (1,))))])
    assert [frame["type"] for frame in reader.frames(2)] == [
        "CONVERSATION_READ",
        "MESSAGE_RECALLED",
    ]
    assert other.frame()["data"] == {"id": 10, "conversation_id": 1}


def test_a_change_is_pushed_whole_and_never_an_older_one_after_it(
    gateway: Gateway, bus: Bus
) -> None:
    """MESSAGE_UPDATED has the data of NEW_MESSAGE in its new form, goes to every device of all who have the message, and only forward (contract §8)."""
    devices = [gateway.connect(user_id) for user_id in (80, 80, 96, 81)]
    card, late = to_all(14, [80, 96, 81]), to_all(15, [80, 96, 81])
    bus.publish([card, update(card, 3), update(card, 2), update(card, 3), put_in_form(card, 2)])
    bus.publish([update(late, 2), late, update(late, 2)])
    for device in devices:
        new, changed, early, message = device.frames(4)
        assert (new["type"], new["data"]["version"]) == ("NEW_MESSAGE", 1)
        assert (changed["type"], changed["data"]["version"]) == ("MESSAGE_UPDATED", 3)
        assert changed["data"] == {**new["data"], "version": 3, "content": "第14条, 3"}
        assert [early["type"], message["type"]] == ["MESSAGE_UPDATED", "NEW_MESSAGE"]
        assert early["data"] == message["data"]
        device.ping()  # nothing else came before it


def test_two_workers_on_one_port_push_each_frame_once(launch: Launch, bus: Bus) -> None:
    """With `--workers 2` each process has its own feed, and every socket gets every frame exactly once."""
    gateway = launch("--workers", "2", "--no-access-log")
    clients = {user_id: gateway.connect(user_id) for user_id in range(100, 140)}
    bus.publish([to_all(900_001, clients), to_all(900_002, clients)])
    bus.publish([to_both(900_003, 100, 139)])
    for user_id, client in clients.items():
        own = [900_003] if user_id in (100, 139) else []
        assert client.ids(2 + len(own)) == [900_001, 900_002, *own]
        client.ping()  # nothing else came before the answer
    gateway.part()
    gateway.stop()  # in good order: killing the first process would leave the other two behind


def test_an_operator_learns_to_how_many_sockets_a_message_went(
    gateway: Gateway, bus: Bus, valkey: EmbeddedValkey
) -> None:
    """A gateway that is asked for a message answers with the sockets it wrote it to, and 0 for one that reached nobody here."""
    devices = [gateway.connect(user_id) for user_id in (1, 1, 2)]
    bus.publish([to_both(950_001, 1, 2), to_all(950_002, [77])])
    for device in devices:
        device.frame()

    async def ask(id: int) -> list[PushAnswer]:
        questions = PushQuestions(ValkeySettings(valkey.url))
        try:
            return await questions.ask(id)
        finally:
            await questions.close()

    def sockets(id: int) -> list[int]:
        return [answer.sockets for answer in asyncio.run(ask(id))]

    wait_for(lambda: 3 in sockets(950_001))
    wait_for(lambda: bool(sockets(950_002)))
    assert set(sockets(950_002)) == {0}
