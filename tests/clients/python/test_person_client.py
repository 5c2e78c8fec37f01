"""A person's client against a running stack: each claim holds for both shells."""

from typing import Any

import pytest

from carillon_client import NotFoundError, NotSignedInError
from tests.clients.live_stack import LiveStack
from tests.clients.python.shells import Shell

Person = dict[str, Any]


def test_two_people_write_and_read(my: Any, your: Any, me: Person, you: Person) -> None:
    """What one sends the other has, unread until it is marked; the sender sees that it was read."""
    sent = my.send(receiver_id=you["id"], content="你好", client_ref="draft-1", wait=10)
    assert (sent.title, sent.client_ref) == ("私信", "draft-1")
    [line] = your.list_conversations()
    assert (line.user_id, line.unread_count, line.last_message) == (me["id"], 1, "你好")
    assert your.count_unread() == 1
    assert your.mark_read(me["id"], up_to_id=sent.id) == 1
    assert your.count_unread() == 0
    [own] = my.list_history(you["id"])
    assert own.is_read
    assert own.read_at >= own.created_at


def test_what_was_taken_back_is_gone(my: Any, your: Any, you: Person) -> None:
    """A recalled message is in no history; taking back what is not there is NotFoundError."""
    sent = my.send(receiver_id=you["id"], content="oops", wait=10)
    my.recall(sent.id)
    assert list(your.list_conversations()) == []
    with pytest.raises(NotFoundError):
        your.get_message(sent.id)


def test_long_lists_come_whole(my: Any, live: LiveStack, me: Person) -> None:
    """Conversations and histories of several pages are given once each, newest first, only as far as asked."""
    peers = [live.new_person()["id"] for _ in range(205)]
    for peer in peers:
        my.send(receiver_id=peer, content="c")
    sent = [my.send(receiver_id=peers[-1], content="c") for _ in range(104)]
    my.send(receiver_id=peers[-1], content="last", wait=10)
    listed = [one.user_id for one in my.list_conversations()]
    assert sorted(listed) == sorted(peers)
    assert listed[0] == peers[-1]
    ids = [one.id for one in my.list_history(peers[-1])]
    assert len(ids) == len(set(ids)) == 106
    assert ids == sorted(ids, reverse=True)
    assert [one.id for one in my.list_history(peers[-1], before_id=sent[-1].id)] == ids[2:]


def test_people_and_apps_are_found(my: Any, you: Person) -> None:
    """A search finds people by a part of their name, and the launchpad has the apps of the person's accounts."""
    assert you["id"] in {one.id for one in my.search_people("李", limit=100)}
    assert [one.app_id for one in my.list_launchpad_apps()] == ["oa_system"]


def test_a_picture_is_sent(my: Any, your: Any, me: Person, you: Person) -> None:
    """A person uploads a picture, and sends it as one."""
    file = my.upload(b"\x89PNG", filename="a.png")
    sent = my.send(receiver_id=you["id"], content=file.key, content_type=file.content_type, wait=10)
    assert (file.content_type, sent.filename) == ("IMAGE", "a.png")


def test_an_expired_token_is_replaced(live: LiveStack, shell: Shell, me: Person, url: str) -> None:
    """With a token function an expired token is replaced without the caller's doing; with a plain token it is said."""
    expired = live.token(id=me["id"], expires_in=-5)
    tokens = [me["token"], expired]
    assert shell.person(url, tokens.pop).count_unread() == 0
    with pytest.raises(NotSignedInError, match="TOKEN_EXPIRED"):
        shell.person(url, expired).count_unread()
