"""Frames: the exact shapes of contract §5, as any WebSocket client decodes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from push_gateway.frames import (
    FrameEncoder,
    encode_hello,
    encode_resync,
    make_position_encoder,
)
from push_gateway.resume.client_position import format_place, format_position
from push_gateway.sockets.frame_socket import encode_text_frame
from storage.model.close_codes import REASONS, CloseCode
from storage.model.event import AllRead, ConversationRead, MessageRecalled, NewMessage
from storage.model.message import MessageType
from storage.valkey.bus_reader import Position
from tests.push_gateway.running import a_message

pytestmark = pytest.mark.pure

SHANGHAI = ZoneInfo("Asia/Shanghai")


def parse_frame(frame: bytes) -> Any:
    """What a client makes of the bytes of one frame: one whole text message, nothing left over."""
    client = ClientProtocol(parse_uri("ws://test"), state=OPEN)
    client.receive_data(frame)
    [event] = client.events_received()
    assert isinstance(event, Frame)
    assert (event.opcode, event.fin) == (Opcode.TEXT, True)
    return json.loads(bytes(event.data))


def test_a_new_message_has_the_fields_of_the_client_document() -> None:
    """NEW_MESSAGE: the client document's data, in its order, and our receiver_id, conversation_id."""
    event = NewMessage(a_message(1024, sender_id=12, receiver_id=9), "你好", ((12, (9,)),))
    frame = parse_frame(FrameEncoder(SHANGHAI).encode(event, conversation_id=12, pos="p"))
    expected = {
        "id": 1024,
        "sender_id": 12,
        "type": "MESSAGE",
        "content_type": "TEXT",
        "title": "私信",
        "content": "你好",
        "filename": None,
        "action_url": None,
        "action_text": None,
        "sender_name": "用户私信",
        "created_at": "2026-03-18T18:10:00",
        "created_at_ms": 1773828600999,
        "app_id": None,
        "app_name": None,
        "receiver_id": 9,
        "conversation_id": 12,
        "client_ref": None,
        "state": None,
        "state_text": None,
        "ref": None,
        "version": 1,
    }
    assert frame == {"type": "NEW_MESSAGE", "pos": "p", "data": expected}
    assert list(frame["data"]) == list(expected)


def test_a_notification_is_from_the_system_and_carries_its_app() -> None:
    """A notification has sender_name 系统通知, its app and its button."""
    message = a_message(1, sender_id=None)._replace(
        type=MessageType.NOTIFICATION,
        app_id=101,
        app_name="OA系统",
        action_url="/api/v1/simple/sso/jump?app_id=oa",
        action_text="立即处理",
    )
    event = NewMessage(message, "c", ((-101, (2,)),))
    data = parse_frame(FrameEncoder(SHANGHAI).encode(event, conversation_id=-101, pos="p"))["data"]
    assert data["sender_name"] == "系统通知"
    assert (data["sender_id"], data["app_id"], data["app_name"]) == (None, 101, "OA系统")
    assert (data["action_url"], data["action_text"]) == (message.action_url, "立即处理")
    assert data["conversation_id"] == -101


def test_media_is_shown_by_its_url() -> None:
    """`content` is the event's (presigned), not the message's stored key, and beside it is the file's name."""
    message = a_message(1)._replace(filename="报告.pdf")
    event = NewMessage(message, "https://signed", ((1, (2,)),))
    data = parse_frame(FrameEncoder(SHANGHAI).encode(event, conversation_id=1, pos="p"))["data"]
    assert (data["content"], data["filename"]) == ("https://signed", "报告.pdf")


@pytest.mark.parametrize(
    ("user_ids", "shown"),
    [((12,), "draft-7"), ((9,), None), ((12, 9), None), ((), None)],
    ids=["the sender", "the receiver", "both at once", "nobody"],
)
def test_what_the_client_called_its_send_is_shown_to_its_sender_only(
    user_ids: tuple[int, ...], shown: str | None
) -> None:
    """`client_ref` is in the frames of the sender's own devices, and null in every other (contract §2)."""
    message = a_message(1, sender_id=12, receiver_id=9)._replace(client_ref="draft-7")
    event = NewMessage(message, "c", ((12, (9,)), (9, (12,))))
    frame = FrameEncoder(SHANGHAI).encode(event, conversation_id=9, pos="p", user_ids=user_ids)
    assert parse_frame(frame)["data"]["client_ref"] == shown


@pytest.mark.parametrize("created_at", [datetime(2026, 3, 18, 10, 9, 59, 999_999, UTC)])
def test_times_are_cut_to_seconds_in_the_deployments_zone(created_at: datetime) -> None:
    """`created_at` is YYYY-MM-DDTHH:MM:SS without an offset (contract §0), never rounded up, and beside it are its milliseconds."""
    message = a_message(1)._replace(created_at=created_at.astimezone(SHANGHAI) - timedelta(0))
    event = NewMessage(message, "c", ((1, (2,)),))
    data = parse_frame(FrameEncoder(ZoneInfo("UTC")).encode(event, conversation_id=1, pos="p"))[
        "data"
    ]
    assert data["created_at"] == "2026-03-18T10:09:59"
    assert data["created_at_ms"] == 1773828599999


def test_the_other_frames_name_their_conversation() -> None:
    """CONVERSATION_READ, ALL_READ and MESSAGE_RECALLED carry what contract §2, §4 and §5 say."""
    encoder = FrameEncoder(SHANGHAI)
    read = encoder.encode(ConversationRead(9, -7, 55, 3), conversation_id=-7, pos="p")
    assert parse_frame(read) == {
        "type": "CONVERSATION_READ",
        "pos": "p",
        "data": {"conversation_id": -7, "up_to_id": 55, "unread_count": 3},
    }
    everything = encoder.encode(AllRead(9, 55, 0), conversation_id=0, pos="p")
    assert parse_frame(everything) == {
        "type": "ALL_READ",
        "pos": "p",
        "data": {"up_to_id": 55, "unread_count": 0},
    }
    recalled = encoder.encode(MessageRecalled(5, ((12, (9,)),)), conversation_id=12, pos="p")
    assert parse_frame(recalled)["data"] == {"id": 5, "conversation_id": 12}
    assert parse_frame(encode_resync("p")) == {"type": "RESYNC", "pos": "p"}


def test_hello_says_where_to_resume_and_what_time_it_is() -> None:
    """HELLO carries a position and the server's time in Unix milliseconds (contract §5)."""
    assert parse_frame(encode_hello("p", server_time_ms=1773828600123)) == {
        "type": "HELLO",
        "pos": "p",
        "data": {"server_time_ms": 1773828600123},
    }


def test_the_position_frames_of_a_shard_differ_in_their_people_only() -> None:
    """POSITION frames are encoded once for a shard; the `pos` in each is its person's own."""
    place = format_place("5b9f1c0a", Position(1773800000000, 3))
    encode = make_position_encoder(place)
    for user_id in (1, 31002, 2**53 - 1):
        pos = format_position("5b9f1c0a", Position(1773800000000, 3), user_id=user_id)
        assert parse_frame(encode(user_id)) == {"type": "POSITION", "pos": pos}


@given(length=st.integers(0, 300) | st.sampled_from([125, 126, 65_535, 65_536, 70_000]))
def test_a_frame_is_what_the_library_would_make(length: int) -> None:
    """A text frame of any length has the bytes that `websockets` makes of it."""
    payload = bytes(length)
    assert encode_text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(
        mask=False, extensions=[]
    )


def test_long_frames_are_whole() -> None:
    """A content of 64 KiB, and one of more than 65,535 bytes of UTF-8, come out as they went in."""
    for content in ("x" * 65_536, "你" * 65_536):
        event = NewMessage(a_message(1), content, ((1, (2,)),))
        frame = FrameEncoder(SHANGHAI).encode(event, conversation_id=1, pos="p")
        assert parse_frame(frame)["data"]["content"] == content


def test_every_close_code_has_a_reason_that_fits() -> None:
    """A close reason is at most 123 bytes (RFC 6455 §5.5)."""
    assert set(REASONS) == set(CloseCode)
    assert all(len(reason.encode()) <= 123 for reason in REASONS.values())
