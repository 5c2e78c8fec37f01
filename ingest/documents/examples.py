"""Examples of requests and answers, for `/openapi.json`: one list for each operation, by its name.

A test sends every request to a real server and compares what comes back with the answer shown. The people and the app are
those of the guides: 31001 is 李四, 31002 is 张三, and the app `leave` calls them `lisi` and `zhangsan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ID = 117128467173376
_AT, _AT_MS = "2026-03-18T10:10:00", 1773828600000


@dataclass(frozen=True, slots=True)
class RequestExample:
    """The body of one request; `by_app`: an app sends it, else a person."""

    summary: str
    body: Mapping[str, Any]
    by_app: bool = False


_BUTTON = {
    "auto_sso": True,
    "target_url": "https://leave.example.com/requests/123",
    "action_text": "去审批",
}
_NOTICE = {
    "type": "NOTIFICATION",
    "title": "系统公告",
    "content": "今晚 22 点维护",
    "is_broadcast": True,
}

REQUESTS: Mapping[str, Mapping[str, RequestExample]] = {
    "send_message": {
        "person": RequestExample(
            "A person writes to a person",
            {"type": "MESSAGE", "receiver_id": 31002, "title": "私信", "content": "你好"},
        ),
        "notification": RequestExample(
            "An app notifies a person, with a button that signs on",
            {
                "type": "NOTIFICATION",
                "app_id": "leave",
                "app_user_id": "zhangsan",
                "title": "审批通知",
                "content": "李四申请请假两天",
                **_BUTTON,
            },
            by_app=True,
        ),
        "card": RequestExample(
            "An app sends a card whose state it will change",
            {
                "type": "NOTIFICATION",
                "app_id": "leave",
                "app_user_id": "zhangsan",
                "title": "审批通知",
                "content": "李四申请请假两天",
                "ref": "leave-123",
                "state": "PENDING",
                "state_text": "待处理",
                **_BUTTON,
            },
            by_app=True,
        ),
        "on_behalf": RequestExample(
            "An app sends a card from one person to another",
            {
                "type": "MESSAGE",
                "content_type": "USER_NOTIFICATION",
                "app_id": "leave",
                "app_user_id": "zhangsan",
                "sender_app_user_id": "lisi",
                "title": "请假申请",
                "content": {"applyType": "LEAVE", "days": 2, "businessId": 123},
            },
            by_app=True,
        ),
        "broadcast": RequestExample("An app tells everyone", _NOTICE, by_app=True),
        "audience": RequestExample(
            "An app tells some people",
            {**_NOTICE, "audience": {"app_user_ids": ["lisi", "zhangsan"]}},
            by_app=True,
        ),
    },
    "preview_broadcast": {
        "everyone": RequestExample("How many everyone is", _NOTICE, by_app=True),
        "audience": RequestExample(
            "How many some people are, and whom of them nobody knows",
            {**_NOTICE, "audience": {"app_user_ids": ["lisi", "zhangsan", "nobody"]}},
            by_app=True,
        ),
    },
    "send_batch": {
        "two": RequestExample(
            "Two notifications, of which the second has no receiver",
            {
                "messages": [
                    {
                        "type": "NOTIFICATION",
                        "receiver_id": 31002,
                        "title": "工资条",
                        "content": "已发放",
                    },
                    {
                        "type": "NOTIFICATION",
                        "receiver_id": 999,
                        "title": "工资条",
                        "content": "已发放",
                    },
                ]
            },
            by_app=True,
        )
    },
    "change_message": {
        "done": RequestExample(
            "The matter is done", {"state": "DONE", "state_text": "已由张三处理"}, by_app=True
        ),
        "expected": RequestExample(
            "Only if nobody else has changed it",
            {"title": "审批通知", "state": "REJECTED", "expected_version": 3},
            by_app=True,
        ),
    },
    "change_by_ref": {
        "done": RequestExample(
            "The matter is done, for everyone who was asked",
            {"state": "DONE", "state_text": "已由张三处理"},
            by_app=True,
        )
    },
    "read_conversation": {
        "seen": RequestExample("What was on the screen", {"up_to_id": _ID}),
        "all": RequestExample("All of it", {}),
    },
    "sign_on": {
        "launchpad": RequestExample(
            "Open an app", {"app_id": "leave", "username": "", "password": ""}
        )
    },
    "verify_ticket": {
        "ticket": RequestExample(
            "The ticket of a callback page", {"ticket": "4ZpEwQ7vX0yqkUuJt2b1aA"}, by_app=True
        )
    },
    "start_upload": {
        "picture": RequestExample(
            "A picture", {"content_type": "image/png", "filename": "现场照片.png", "size": 48211}
        )
    },
}

_MESSAGE = {
    "id": _ID,
    "sender_id": 31001,
    "receiver_id": 31002,
    "app_id": None,
    "app_name": None,
    "type": "MESSAGE",
    "content_type": "TEXT",
    "title": "私信",
    "content": "你好",
    "filename": None,
    "action_url": None,
    "action_text": None,
    "is_read": False,
    "created_at": _AT,
    "created_at_ms": _AT_MS,
    "read_at": None,
    "read_at_ms": None,
    "client_ref": None,
    "state": None,
    "state_text": None,
    "ref": None,
    "version": 1,
}
_NOTIFICATION = _MESSAGE | {
    "sender_id": None,
    "app_id": 1,
    "app_name": "请假",
    "type": "NOTIFICATION",
    "title": "工资条",
    "content": "已发放",
}
_CARD = _NOTIFICATION | {
    "title": "审批通知",
    "content": "李四申请请假两天",
    "ref": "leave-123",
    "state": "PENDING",
    "state_text": "待处理",
}
_LINE = {
    "id": _ID,
    "status": "DONE",
    "total": 2,
    "expanded": 2,
    "failed_chunks": 0,
    "last_error": None,
    "held": False,
    "recalled": 0,
    "read": 1,
    "created_at": _AT,
    "created_at_ms": _AT_MS,
    "started_at": _AT,
    "started_at_ms": _AT_MS,
    "finished_at": "2026-03-18T10:10:01",
    "finished_at_ms": _AT_MS + 1000,
    "rate_per_second": 200.0,
}
_PERSON = {
    "id": 31002,
    "mobile": "13900031002",
    "name": "张三",
    "english_name": "zhangsan",
    "status": "ACTIVE",
}
_APPS = {
    "total": 1,
    "items": [
        {
            "app_name": "请假",
            "app_id": "leave",
            "protocol_type": "SIMPLE_API",
            "mapped_key": "zhangsan",
            "mapped_email": "zhangsan@example.com",
            "is_active": True,
            "description": "请假与销假",
            "category_id": None,
            "category_name": None,
        }
    ],
}
_CALLBACK = "https://leave.example.com/callback?ticket=4ZpEwQ7vX0yqkUuJt2b1aA"

RESPONSES: Mapping[str, Any] = {
    "send_message": _MESSAGE,
    "send_batch": {
        "results": [
            {"status": 200, "message": _NOTIFICATION},
            {
                "index": 1,
                "status": 404,
                "detail": "There is no such receiver.",
                "code": "UNKNOWN_RECEIVER",
            },
        ]
    },
    "get_message": _MESSAGE | {"status": "DELIVERED"},
    "get_callback_url": {
        "callback_url": f"{_CALLBACK}&next=https%3A%2F%2Fleave.example.com%2Frequests%2F123"
    },
    "list_conversations": [
        {
            "user_id": 31001,
            "username": "13900031001",
            "full_name": "李四",
            "unread_count": 1,
            "last_message": "你好",
            "last_message_type": "TEXT",
            "updated_at": _AT,
            "updated_at_ms": _AT_MS,
            "is_system": False,
            "app_id": None,
            "app_name": None,
        }
    ],
    "list_history": [_MESSAGE],
    "read_all": {"updated_count": 3},
    "read_conversation": {"updated_count": 1},
    "count_unread": {"total": 3, "todo": 1},
    "list_todos": [_CARD],
    "change_message": _CARD | {"state": "DONE", "state_text": "已由张三处理", "version": 2},
    "change_by_ref": {"updated_count": 1},
    "list_broadcasts": [_LINE],
    "preview_broadcast": {"total": 2, "unresolved": []},
    "get_broadcast": _LINE | {"unresolved": []},
    "list_unread": {"items": [{"user_id": 31001, "app_user_id": "lisi", "name": "李四"}]},
    "cancel_broadcast": _LINE | {"unresolved": []},
    "list_events": {
        "items": [
            {
                "seq": 41,
                "type": "message.read",
                "time": _AT,
                "time_ms": _AT_MS,
                "data": {
                    "reads": [
                        {
                            "message_id": _ID,
                            "user_id": 31002,
                            "app_user_id": "zhangsan",
                            "read_at": _AT,
                            "read_at_ms": _AT_MS,
                        }
                    ]
                },
            },
            {
                "seq": 42,
                "type": "broadcast.done",
                "time": _AT,
                "time_ms": _AT_MS,
                "data": {"broadcast_id": _ID, "total": 2},
            },
        ],
        "next_after": 42,
    },
    "search_people": [_PERSON],
    "list_people": {"total": 1, "items": [_PERSON | {"role": "ORDINARY_USER", "is_deleted": 0}]},
    "list_launchpad": _APPS,
    "list_apps": _APPS,
    "sign_on": {"redirect_url": _CALLBACK},
    "verify_ticket": {
        "user_id": 31002,
        "app_user_id": "zhangsan",
        "mapped_email": "zhangsan@example.com",
        "name": "张三",
    },
    "start_upload": {
        "key": "u31001/3f0c1d2e/现场照片.png",
        "upload": {
            "method": "PUT",
            "url": "/api/v1/media/objects/u31001/3f0c1d2e/%E7%8E%B0%E5%9C%BA.png?expires=1773829500&signature=…",
            "headers": {"Content-Type": "image/png"},
        },
        "expires_in": 900,
    },
    "tell_alive": {"status": "ok"},
    "tell_ready": {"database": "ok", "broker": "ok", "bus": "ok"},
    "issue_ticket": {"ticket": "Jt2b1aA4ZpEwQ7vX0yqkUu", "expires_in": 30},
}

# Of what has to be given in a path or a query.
PARAMETERS: Mapping[str, Any] = {
    "message_id": _ID,
    "broadcast_id": _ID,
    "other_user_id": 31001,
    "ref": "leave-123",
    "app_id": "leave",
    "redirect_to": "https://leave.example.com/requests/123",
    "key": "u31001/3f0c1d2e/photo.png",
}
