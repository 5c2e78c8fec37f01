"""The documents are true of a running stack: the frames of its sockets, and what its gateway answers."""

import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ingest.documents import examples
from storage.model.close_codes import CloseCode
from tests.ingest.documents.frame_schemas import DOCUMENT, check_frame
from tests.journey.client import PATIENCE, Client
from tests.journey.guides import find_shape, is_alike
from tests.services import Stack

on_valkey = pytest.mark.parametrize("stack", [{}], indirect=True, ids=["valkey"], scope="session")
pytestmark = on_valkey


def test_real_frames_are_as_the_document_says(
    stack: Stack, client: Client, people: tuple[int, int, int], oa: str
) -> None:
    """Each kind of frame comes over a real socket, with exactly the fields that the document gives it."""
    me, you, _ = people
    body = {"type": "MESSAGE", "receiver_id": you, "title": "私信", "content": "你好"}
    waiting = {"Prefer": "wait=10"}
    expected = {name for name in DOCUMENT["components"]["messages"] if name.isupper()}
    expected.discard("POSITION")  # comes to those who hear nothing for long
    seen: list[Any] = []
    with (
        client.user(me) as sender,
        client.user(you) as reader,
        client.app("oa_system", oa) as app,
        client.socket(you) as socket,
        connect(f"{stack.socket_url}?since=0&token={client.token(you)}") as resumed,
    ):
        first = sender.post("/messages/", json=body, headers=waiting).json()["id"]
        reader.put(f"/messages/conversations/{me}/read")
        sender.post("/messages/", json=body, headers=waiting)
        reader.put("/messages/read-all")
        card = {"type": "NOTIFICATION", "receiver_id": you, "title": "审批", "content": "请假"}
        sent = app.post("/messages/", json=card | {"state": "PENDING"}, headers=waiting).json()
        app.patch(f"/messages/{sent['id']}", json={"state": "DONE"}).raise_for_status()
        sender.delete(f"/messages/{first}")
        while "MESSAGE_RECALLED" not in {frame["type"] for frame in seen}:
            seen.append(socket.next())
        while "RESYNC" not in {frame["type"] for frame in seen}:
            seen.append(json.loads(resumed.recv(timeout=PATIENCE)))
    assert {check_frame(frame) for frame in seen} == expected


def test_the_declared_ticket_is_what_the_gateway_gives(
    stack: Stack, client: Client, people: tuple[int, int, int]
) -> None:
    """`POST /ws/tickets` answers as `/openapi.json` says, and the ticket opens the address that `/asyncapi.json` names."""
    with client.user(people[0]) as me:
        answer = me.post("/ws/tickets").json()
    assert is_alike(find_shape(examples.RESPONSES["issue_ticket"]), find_shape(answer))
    address = DOCUMENT["channels"]["messages"]["address"]
    url = stack.socket_url.partition("/api/")[0] + address
    with connect(f"{url}?ticket={answer['ticket']}", open_timeout=PATIENCE) as socket:
        socket.send("ping")
        while (text := socket.recv(timeout=PATIENCE)) != "pong":
            check_frame(json.loads(text))


def test_a_refused_handshake_has_a_code_of_the_document(stack: Stack) -> None:
    """Handshakes without a token, with a bad one, with a bad ticket, and at no path are refused as the document says."""
    shown = DOCUMENT["channels"]["messages"]["x-handshake-refusals"]
    refusals = {one["code"]: one["status"] for one in shown}
    for end in ("", "?token=x", "?ticket=x", "/nothing"):
        with pytest.raises(InvalidStatus) as refused, connect(stack.socket_url + end):
            pass
        answer = refused.value.response
        assert answer.body is not None
        assert refusals[json.loads(answer.body)["code"]] == answer.status_code, end


def test_a_close_code_of_the_parser_is_in_the_document(
    stack: Stack, client: Client, people: tuple[int, int, int]
) -> None:
    """A frame that is too long closes the socket with the code that the document gives it."""
    with client.socket(people[0]) as socket:
        socket.connection.send("x" * (64 * 1024 + 1))
        with suppress(ConnectionClosed):
            for _ in socket.connection:
                pass
        assert socket.connection.close_code == CloseCode.TOO_LONG


def test_who_has_not_read_a_broadcast_is_shown_as_it_comes(client: Client, oa: str) -> None:
    """The list of people who have not read a broadcast has the fields of the example in `/openapi.json`."""
    notice = {"type": "NOTIFICATION", "title": "t", "content": "c", "is_broadcast": True}
    with client.app("oa_system", oa) as app:
        audience = {"audience": {"user_ids": [2048]}}
        sent = app.post("/messages/", json=notice | audience, headers={"Prefer": "wait=10"}).json()
        answer = app.get(f"/broadcasts/{sent['id']}/unread").json()
    assert is_alike(find_shape(examples.RESPONSES["list_unread"]), find_shape(answer))
