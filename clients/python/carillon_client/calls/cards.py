"""Changing cards that an app has sent, and a person's to-dos (docs/api/integrate-an-app.md, A card that changes)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from carillon_client.calls.messages import make_key_header
from carillon_client.exchange import Call, Item, Items, Query, Request, call_json, make_request
from carillon_client.results import Message
from carillon_client.retries import Retries

_PAGE = 100


def change_message(
    message_id: int,
    change: Mapping[str, Any],
    retries: Retries,
    *,
    expected_version: int | None,
    idempotency_key: str | None,
) -> Call[Message]:
    """Change one message once, however often it has to be tried; its new form."""
    request = _make_patch(f"{message_id:d}", change, expected_version, idempotency_key)
    return Message.from_json((yield from call_json(request, retries)))


def change_by_ref(
    ref: str,
    change: Mapping[str, Any],
    retries: Retries,
    *,
    expected_version: int | None,
    idempotency_key: str | None,
) -> Call[int]:
    """Change all of the app's messages of that `ref` once; how many they are."""
    # A whole segment of dots would be taken for a step up on its way.
    segment = ref.replace(".", "%2E") if ref in {".", ".."} else quote(ref, safe="")
    request = _make_patch(f"by-ref/{segment}", change, expected_version, idempotency_key)
    answer = yield from call_json(request, retries)
    return int(answer["updated_count"])


def list_todos(retries: Retries, *, state: str, before_id: int | None) -> Items[Message]:
    """The person's to-dos of that state in all conversations, newest first, those before `before_id` if it is given."""
    while True:
        query: Query = {"state": state, "limit": _PAGE, "before_id": before_id}
        page = yield from call_json(Request("GET", "/messages/todo", query), retries)
        for one in page:
            yield Item(Message.from_json(one))
        if len(page) < _PAGE:
            return
        before_id = page[-1]["id"]


def count_todos(retries: Retries) -> Call[int]:
    """How many to-dos are pending, of all conversations."""
    answer = yield from call_json(Request("GET", "/messages/unread-count"), retries)
    return int(answer["todo"])


def _make_patch(
    path: str, change: Mapping[str, Any], expected_version: int | None, key: str | None
) -> Request:
    body = dict(change)
    if expected_version is not None:
        body["expected_version"] = expected_version
    return make_request("PATCH", f"/messages/{path}", json=body, headers=make_key_header(key))
