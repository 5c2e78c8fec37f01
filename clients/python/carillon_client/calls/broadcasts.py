"""Telling everyone: the broadcast, how far it has come, who has not read it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from carillon_client.calls.messages import make_body, send
from carillon_client.errors import TemporaryError
from carillon_client.exchange import (
    Call,
    Item,
    Items,
    Pause,
    Query,
    Request,
    call_json,
    make_post,
)
from carillon_client.results import BroadcastPreview, BroadcastReport, Message, UnreadPerson
from carillon_client.retries import Retries

_PAGE = 100


def broadcast(
    fields: Mapping[str, Any],
    retries: Retries,
    *,
    user_ids: Sequence[int] | None,
    app_user_ids: Sequence[str] | None,
    idempotency_key: str | None,
) -> Call[Message]:
    """Tell everyone, or these people. The message's id is the broadcast's."""
    fields = _make_fields(fields, user_ids=user_ids, app_user_ids=app_user_ids)
    message = yield from send(fields, retries, idempotency_key=idempotency_key)
    return message


def preview_broadcast(
    fields: Mapping[str, Any],
    retries: Retries,
    *,
    user_ids: Sequence[int] | None,
    app_user_ids: Sequence[str] | None,
) -> Call[BroadcastPreview]:
    """How many people it would be for; nothing is sent."""
    fields = _make_fields(fields, user_ids=user_ids, app_user_ids=app_user_ids)
    request = replace(make_post("/broadcasts/preview", make_body(fields)), may_repeat=True)
    return BroadcastPreview.from_json((yield from call_json(request, retries)))


def _make_fields(
    fields: Mapping[str, Any],
    *,
    user_ids: Sequence[int] | None,
    app_user_ids: Sequence[str] | None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "NOTIFICATION", "is_broadcast": True} | dict(fields)
    audience = {"user_ids": user_ids, "app_user_ids": app_user_ids}
    named = {name: list(ids) for name, ids in audience.items() if ids is not None}
    return made | {"audience": named} if named else made


def get_broadcast(broadcast_id: int, retries: Retries) -> Call[BroadcastReport]:
    """How far it has come."""
    request = Request("GET", f"/broadcasts/{broadcast_id:d}")
    return BroadcastReport.from_json((yield from call_json(request, retries)))


def follow_broadcast(
    broadcast_id: int, retries: Retries, *, every: float
) -> Items[BroadcastReport]:
    """A report now and whenever one differs from the last, until the broadcast has come to rest.

    While the server is busy or away it goes on asking: the broadcast goes on whether somebody looks or not.
    """
    last: BroadcastReport | None = None
    while last is None or not last.is_finished:
        try:
            report = yield from get_broadcast(broadcast_id, retries)
        except TemporaryError as error:
            yield Pause(max(every, error.retry_after or 0.0))
            continue
        if report != last:
            yield Item(report)
        last = report
        if not report.is_finished:
            yield Pause(every)


def list_broadcasts(
    retries: Retries, *, limit: int, before_id: int | None, status: str | None
) -> Call[list[BroadcastReport]]:
    """The app's broadcasts, the last accepted first."""
    query: Query = {"limit": limit, "before_id": before_id, "status": status}
    answer = yield from call_json(Request("GET", "/broadcasts", query), retries)
    return [BroadcastReport.from_json(one) for one in answer]


def list_unread(broadcast_id: int, retries: Retries) -> Items[UnreadPerson]:
    """Everyone who has not read it, by user id."""
    after = 0
    while True:
        query: Query = {"limit": _PAGE, "after_user_id": after}
        request = Request("GET", f"/broadcasts/{broadcast_id:d}/unread", query)
        answer = yield from call_json(request, retries)
        for one in answer["items"]:
            yield Item(UnreadPerson.from_json(one))
        if not answer["items"]:
            return
        after = answer["items"][-1]["user_id"]


def cancel_broadcast(broadcast_id: int, retries: Retries) -> Call[BroadcastReport]:
    """Stop it: who has it keeps it, nobody else gets it."""
    request = Request("POST", f"/broadcasts/{broadcast_id:d}/cancel")
    return BroadcastReport.from_json((yield from call_json(request, retries)))
