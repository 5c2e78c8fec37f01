"""A person's socket through everything that happens to one: each claim holds for both shells."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carillon_client import (
    AllRead,
    ConversationRead,
    MessageRecalled,
    NewMessage,
    NoAnswerError,
    NotSignedInError,
    Resync,
    Retries,
    SocketClosedError,
    SocketEndedError,
)
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests.clients.live_stack import LiveStack
from tests.clients.python.shells import Shell

PATIENCE = 40.0
Person = dict[str, Any]


@pytest.fixture
def gateway(live: LiveStack) -> Iterator[LiveStack]:
    """The stack for a test that takes its gateway away: it is there again afterwards."""
    yield live
    live.start_gateway()


def take(socket: Any, kind: type) -> Any:
    """The next event, which is of this kind."""
    event = socket.receive(timeout=PATIENCE)
    assert isinstance(event, kind), event
    return event


def test_every_kind_of_event_comes(my: Any, your: Any, me: Person, you: Person) -> None:
    """New messages, what is read on another device and what is taken back come as events, in order."""
    with your.socket() as socket:
        assert socket.is_connected
        assert abs(socket.clock_offset) < 60
        sent = my.send(receiver_id=you["id"], content="你好")
        message = take(socket, NewMessage).message
        assert (message.id, message.conversation_id, message.content) == (sent.id, me["id"], "你好")
        your.mark_read(me["id"], up_to_id=sent.id)
        read = take(socket, ConversationRead)
        assert (read.conversation_id, read.up_to_id, read.unread_count) == (me["id"], sent.id, 0)
        my.send(receiver_id=you["id"], content="oops", wait=10)
        assert take(socket, NewMessage).message.content == "oops"
        your.request("PUT", "/messages/read-all")
        assert take(socket, AllRead).unread_count == 0
        my.recall(sent.id)
        assert take(socket, MessageRecalled).id == sent.id
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.05)


@pytest.mark.parametrize("way", [LiveStack.kill_gateway, LiveStack.restart_gateway])
def test_nothing_is_missed_and_nothing_comes_twice(
    gateway: LiveStack, my: Any, your: Any, you: Person, way: Callable[[LiveStack], None]
) -> None:
    """Through a gateway that dies or restarts while messages are sent, each comes once, in order."""
    sent: list[int] = []

    def send(count: int) -> None:
        sent.extend(my.send(receiver_id=you["id"], content="c", wait=10).id for _ in range(count))

    with your.socket() as socket:
        send(3)
        got = [take(socket, NewMessage).message.id for _ in range(2)]
        send(2)
        way(gateway)
        send(3)
        got += [take(socket, NewMessage).message.id for _ in range(6)]
        send(1)
        got.append(take(socket, NewMessage).message.id)
    assert got == sent


def test_a_later_socket_goes_on(my: Any, your: Any, you: Person) -> None:
    """With `since` another socket begins where the last one ended: after what it gave, with what came meanwhile."""
    with your.socket() as socket:
        first = my.send(receiver_id=you["id"], content="1")
        assert take(socket, NewMessage).message.id == first.id
        position = socket.position
    second = my.send(receiver_id=you["id"], content="2", wait=10)
    with your.socket(since=position) as socket:
        assert take(socket, NewMessage).message.id == second.id


def test_what_cannot_be_replayed_is_an_event(my: Any, your: Any, you: Person) -> None:
    """A position that the server does not know gives Resync, and then what is new."""
    with your.socket(since="0") as socket:
        take(socket, Resync)
        sent = my.send(receiver_id=you["id"], content="c")
        assert take(socket, NewMessage).message.id == sent.id


def test_a_token_that_expires_is_replaced(
    live: LiveStack, shell: Shell, my: Any, you: Person
) -> None:
    """When the token of an open socket expires, another is asked for, as often as that happens, and nothing is missed."""
    asked: list[float] = []

    def give() -> str:
        asked.append(2 if len(asked) < 2 else 600)
        return live.token(id=you["id"], expires_in=asked[-1])

    with shell.person(live.about["url"], give).socket() as socket:
        assert wait_until(lambda: is_silent(socket) and len(asked) == 3, seconds=PATIENCE)
        sent = my.send(receiver_id=you["id"], content="c")
        assert take(socket, NewMessage).message.id == sent.id


def is_silent(socket: Any) -> bool:
    """Nothing came for a moment, in which the socket looked after itself."""
    with pytest.raises(TimeoutError):
        socket.receive(timeout=0.1)
    return True


def test_a_token_that_does_not_change_ends_it(
    live: LiveStack, shell: Shell, me: Person, url: str
) -> None:
    """With a plain token its end is an error that says so, not an endless loop."""
    short = live.token(id=me["id"], expires_in=2)
    with (
        shell.person(url, short).socket() as socket,
        pytest.raises(NotSignedInError, match="TOKEN_EXPIRED"),
    ):
        socket.receive(timeout=PATIENCE)


def test_a_disabled_person_is_told_why(live: LiveStack, your: Any, you: Person) -> None:
    """4500 ends the socket for good, with an error that has the code and the reason; then it is closed."""
    with your.socket() as socket:
        live.disable(id=you["id"])
        with pytest.raises(SocketEndedError, match="disabled") as caught:
            socket.receive(timeout=PATIENCE)
        assert caught.value.close_code == 4500
        with pytest.raises(SocketClosedError):
            socket.receive(timeout=PATIENCE)
        assert list(socket) == []


def test_a_server_that_is_not_there_is_said(shell: Shell, me: Person) -> None:
    """Before it was ever open, a socket gives up after the tries it has, and says where nobody answers."""
    url = f"http://127.0.0.1:{find_free_port()}"
    person = shell.person(url, me["token"], retries=Retries(tries=2, first_pause=0.01))
    with pytest.raises(NoAnswerError, match=url), person.socket():
        pass


def test_a_first_token_that_is_refused_is_said(shell: Shell, url: str) -> None:
    """A token that is no token is an error at once, of the family, with the server's code."""
    with pytest.raises(NotSignedInError) as caught, shell.person(url, "no.token.atall").socket():
        pass
    assert caught.value.status == 401
