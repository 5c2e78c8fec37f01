"""Generates `/asyncapi.json` (AsyncAPI 3): the WebSocket of the push gateway, for developers of clients (contract §5). Pure.

The gateway is another process, which ingest never imports: shapes come from `ingest/models/frames.py`, close codes from
`storage/model/close_codes.py`. Tests hold both against a running gateway.
"""

from typing import Any, get_args, get_type_hints

from ingest.documents.schemas import Schemas, Shape
from ingest.models.frames import FRAMES
from storage.model.close_codes import ADVICE, CloseCode
from storage.model.error_codes import ErrorCode

PATH = "/api/v1/ws/messages"
_JSON, _TEXT = "application/json", "text/plain"

_DESCRIPTION = """\
Over the WebSocket come new messages, what was read on other devices, and what was taken back. Everything else is REST
(`/openapi.json`).

- Every frame is a JSON object with `type` and `pos`. **Skip a `type` that you do not know**; remember the `pos` of every frame.
- Each message comes at most once on one connection, and only after it is in the history.
- **Heartbeat**: send the text `ping` every 25 seconds or so. A socket from which nothing comes for 90 seconds is closed.
- **Start** in this order: open the socket, load the conversation list, then handle the frames that came meanwhile.
- **Reconnect** with `since`: what happened after that frame comes first, in order, then what happens now; no gap, nothing
  twice. If it is too long ago (five minutes by default) `RESYNC` comes instead.
"""
_ID, _POS = 117128467173376, "5b9f1c0a-1773828600000-0-31002"
_PUSHED: Shape = {
    "id": _ID,
    "sender_id": 31001,
    "type": "MESSAGE",
    "content_type": "TEXT",
    "title": "私信",
    "content": "你好",
    "filename": None,
    "action_url": None,
    "action_text": None,
    "sender_name": "用户私信",
    "created_at": "2026-03-18T10:10:00",
    "created_at_ms": 1773828600000,
    "app_id": None,
    "app_name": None,
    "receiver_id": 31002,
    "conversation_id": 31001,
    "client_ref": None,
    "state": None,
    "state_text": None,
    "ref": None,
    "version": 1,
}
_EXAMPLES: Shape = {
    "HELLO": {"server_time_ms": 1773828600000},
    "NEW_MESSAGE": _PUSHED,
    "MESSAGE_UPDATED": {
        **_PUSHED,
        "sender_id": None,
        "type": "NOTIFICATION",
        "title": "审批通知",
        "content": "李四申请请假两天",
        "sender_name": "系统通知",
        "app_id": 1,
        "app_name": "请假",
        "conversation_id": -1,
        "state": "DONE",
        "state_text": "已由张三处理",
        "ref": "leave-123",
        "version": 2,
    },
    "CONVERSATION_READ": {"conversation_id": 31001, "up_to_id": _ID, "unread_count": 0},
    "ALL_READ": {"up_to_id": _ID, "unread_count": 0},
    "MESSAGE_RECALLED": {"id": _ID, "conversation_id": 31001},
}
# A refusal is an HTTP answer before the upgrade, which AsyncAPI has no word for.
_REFUSALS = (
    ErrorCode.HEADER_MISSING,
    ErrorCode.HEADER_MALFORMED,
    ErrorCode.NOT_SIGNED_IN,
    ErrorCode.TOKEN_EXPIRED,
    ErrorCode.TICKET_NOT_VALID,
    ErrorCode.ORIGIN_NOT_ALLOWED,
    ErrorCode.UNKNOWN_PATH,
    ErrorCode.UPGRADE_REQUIRED,
    ErrorCode.TOO_MANY_SOCKETS,
    ErrorCode.HEADERS_TOO_LARGE,
    ErrorCode.BUS_AWAY,
    ErrorCode.UNAVAILABLE,
)
_QUERY: Shape = {
    "token": "The person's token. It can end up in a proxy's log: prefer a header, the subprotocol, or a ticket.",
    "ticket": "A ticket from `POST /api/v1/ws/tickets`: it works once, for 30 seconds by default.",
    "since": "The `pos` of the last frame that was seen: what happened after it comes first.",
}
_SECURITY: Shape = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The header `Authorization: Bearer <token>`, for clients outside of browsers.",
    },
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": '`bearer, <token>`, for browsers: `new WebSocket(url, ["bearer", token])`.',
    },
    "token": {"type": "httpApiKey", "in": "query", "name": "token", "description": _QUERY["token"]},
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": _QUERY["ticket"],
    },
}


def build_socket_document() -> Shape:
    """The AsyncAPI document of the socket, as JSON values."""
    schemas = Schemas()
    pushed = dict(_build_frame(frame, schemas) for frame in FRAMES)
    texts = {
        "ping": _build_text("ping", "A sign of life. `pong` comes back."),
        "pong": _build_text("pong", "The answer to `ping`."),
    }
    messages = pushed | texts
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Carillon: what is pushed", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": _JSON,
        "servers": {"carillon": _build_server()},
        "channels": {"messages": _build_channel(messages)},
        "operations": _build_operations(pushed),
        "components": {
            "messages": messages,
            "schemas": schemas.found,
            "securitySchemes": _SECURITY,
        },
    }


def name_of(frame: type) -> str:
    """The `type` of a frame."""
    return str(get_args(get_type_hints(frame)["type"])[0])


def _build_frame(frame: type, schemas: Schemas) -> tuple[str, Shape]:
    name = name_of(frame)
    example: Shape = {"type": name, "pos": _POS}
    if name in _EXAMPLES:
        example["data"] = _EXAMPLES[name]
    return name, {
        "name": name,
        "title": name,
        "summary": _clean(frame.__doc__),
        "contentType": _JSON,
        "payload": schemas.refer_to(frame, "serialization"),
        "examples": [{"name": name, "payload": example}],
    }


def _build_text(text: str, summary: str) -> Shape:
    return {
        "name": text,
        "title": text,
        "summary": summary,
        "contentType": _TEXT,
        "payload": {"type": "string", "const": text, "description": f"The text `{text}`, no JSON."},
        "examples": [{"name": text, "payload": text}],
    }


def _build_server() -> Shape:
    return {
        "host": "{host}",
        "protocol": "wss",
        "description": "The address of the API; `ws` instead of `wss` where it is plain HTTP.",
        "variables": {
            "host": {
                "default": "messages.example.com",
                "description": "Host and port at which clients reach the API.",
            }
        },
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
    }


def _build_channel(messages: Shape) -> Shape:
    query = {name: {"type": "string", "description": text} for name, text in _QUERY.items()}
    return {
        "address": PATH,
        "title": "The socket",
        "description": "One connection of one signed-in person. Of the ways to sign in, the first that is there counts: "
        "header, subprotocol, `token`, `ticket`.",
        "servers": [{"$ref": "#/servers/carillon"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": query},
                "bindingVersion": "0.1.0",
            }
        },
        "x-handshake-refusals": [
            {"status": code.status, "code": code.name, "why": code.meaning, "do": code.advice}
            for code in _REFUSALS
        ],
        "x-close-codes": [
            {"code": int(code), "name": code.name, "why": ADVICE[code][0], "do": ADVICE[code][1]}
            for code in CloseCode
        ],
    }


def _build_operations(pushed: Shape) -> Shape:
    channel = {"$ref": "#/channels/messages"}

    def refer(name: str) -> Shape:
        return {"$ref": f"#/channels/messages/messages/{name}"}

    return {
        "push": {
            "action": "send",
            "title": "Carillon pushes",
            "summary": "What happens to the person, in its order.",
            "channel": channel,
            "messages": [refer(name) for name in pushed],
        },
        "heartbeat": {
            "action": "receive",
            "title": "The client shows that it lives",
            "summary": "Any frame is a sign of life; `ping` is answered.",
            "channel": channel,
            "messages": [refer("ping")],
            "reply": {"channel": channel, "messages": [refer("pong")]},
        },
    }


def _clean(text: Any) -> str:
    return " ".join(str(text).split())
