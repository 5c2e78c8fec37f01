"""What holds of the rules of a send for any request, any caller and whatever is found (contract §2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.models.requests import SendBody
from ingest.sends.audience import ResolvedAudience
from ingest.sends.rules import LookupResult, RequiredLookups, SendPolicy, build_send, check_request
from storage.model.action_link import is_button_url
from storage.model.caller import App, AppCaller, Caller, Person, UserCaller
from storage.model.errors import CallerError, NotAllowed
from storage.model.media import MediaObject
from storage.model.message import MessageType
from storage.model.send import Send

pytestmark = pytest.mark.pure

NOW = datetime(2026, 11, 28, tzinfo=UTC)
POLICY = SendPolicy(content_limit_bytes=20, schedule_ahead=timedelta(days=90))
OA = App(7, "oa", "OA", "https://oa.example.com/in", (), True, "", "", None, None)
APPS = [OA, replace(OA, id=8, app_id="crm"), replace(OA, id=9, app_id="closed", is_active=False)]
PEOPLE = [
    Person(id, "", "", "", status, "", is_deleted)
    for id, status, is_deleted in (
        (1, "ACTIVE", False),
        (2, "ACTIVE", False),
        (3, "DISABLED", False),
        (4, "ACTIVE", True),
    )
]

callers = st.sampled_from([UserCaller(PEOPLE[0]), AppCaller(OA)])
maybe_time = (
    st.none() | st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=120)).map(NOW.__add__)
)
# Each part is mostly sound, so that many requests pass and every rule is met.
RECEIVERS: list[dict[str, Any]] = [
    {"receiver_id": 2},
    {"app_id": "oa", "app_user_id": "lisi"},
    {"is_broadcast": True},
    {"receiver_id": 2, "app_id": "oa"},
    {"receiver_id": 2, "app_id": "crm"},
    {"receiver_id": 2, "is_broadcast": True},
    {},
]
BUTTONS: list[dict[str, Any]] = [
    {},
    {"auto_sso": True, "target_url": "https://oa.example.com/x"},
    {"auto_sso": True, "target_url": "https://evil.example.org/"},
    {"auto_sso": True},
    {"action_url": "https://a.example/"},
    {"action_url": "javascript:alert(1)"},
]
CONTENTS: list[dict[str, Any]] = [
    {"content": "c"},
    {"content": "x" * 21},
    {"content": "字" * 7},
    {"content": "c", "content_type": "USER_NOTIFICATION"},
    {"content": "k", "content_type": "IMAGE"},
    {"content": "http://a.b", "content_type": "FILE"},
    {"content": "http://a b", "content_type": "FILE"},
]
SENDERS: list[dict[str, Any]] = [{}, {"sender_app_user_id": "zhangsan"}]
TYPES: list[dict[str, Any]] = [{"type": "MESSAGE"}, {"type": "NOTIFICATION"}]
bodies = st.tuples(
    *map(st.sampled_from, (TYPES, RECEIVERS, BUTTONS, CONTENTS, SENDERS)),
).map(lambda parts: {"title": "t"} | {name: v for part in parts for name, v in part.items()})
found_things = st.builds(
    LookupResult,
    receiver=st.none() | st.sampled_from(PEOPLE),
    named_app=st.none() | st.sampled_from(APPS),
    sender_id=st.none() | st.just(2),
    media=st.none() | st.sampled_from([MediaObject("user:1", "a.png"), MediaObject("app:7", "")]),
    is_uploaded=st.booleans(),
    audience=st.none() | st.just(ResolvedAudience((1, 2), ("x",))),
)


def make_body(
    fields: dict[str, Any], send_at: datetime | None, *, has_audience: bool, **changes: Any
) -> SendBody:
    """A parsed request."""
    more: dict[str, Any] = {"audience": {"user_ids": [1, 2]}} if has_audience else {}
    if send_at is not None:
        more["send_at"] = send_at.isoformat()
    return SendBody.from_values(fields | more | changes)


def keep_required(found: LookupResult, required: RequiredLookups) -> LookupResult:
    """The result without what nobody asked for."""
    is_receiver_named = required.receiver_id is not None or required.receiver_account is not None
    return LookupResult(
        receiver=found.receiver if is_receiver_named else None,
        named_app=found.named_app if required.named_app_id is not None else None,
        sender_id=found.sender_id if required.sender_account is not None else None,
        media=found.media if required.media_key is not None else None,
        is_uploaded=found.is_uploaded,
        audience=found.audience if required.audience is not None else None,
    )


@settings(max_examples=1000, deadline=None)
@given(callers, bodies, maybe_time, st.booleans(), found_things)
def test_what_passes_is_a_send_that_its_caller_may_make(
    caller: Caller,
    fields: dict[str, Any],
    send_at: datetime | None,
    has_audience: bool,
    found: LookupResult,
) -> None:
    """Any request is refused with an error of the caller's, or becomes a send that breaks no rule."""
    body = make_body(fields, send_at, has_audience=has_audience)
    try:
        required = check_request(body, caller, policy=POLICY)
        found = keep_required(found, required)
        send = build_send(body, caller, found, policy=POLICY, now=NOW)
    except CallerError:
        return
    assert (send.receiver_id is None) == send.is_broadcast
    assert send.receiver_id in {None, 1, 2}, "only active people receive"
    assert len(send.content.encode()) <= POLICY.content_limit_bytes
    assert send.action_url is None or is_button_url(send.action_url)
    assert "evil" not in (send.action_url or "")
    assert send.send_at is None or NOW < send.send_at <= NOW + POLICY.schedule_ahead
    check_sender(send, caller)


def check_sender(send: Send, caller: Caller) -> None:
    """The send says truly who sends it, and shows an app only where it is not person to person."""
    if isinstance(caller, AppCaller):
        assert send.sent_by_app_id == caller.app.id
    else:
        assert (send.sender_id, send.sent_by_app_id) == (caller.person.id, None)
        assert send.type is MessageType.MESSAGE
        assert not send.is_broadcast
    if send.is_broadcast:
        assert send.type is MessageType.NOTIFICATION
    is_personal = send.type is MessageType.MESSAGE and send.sender_id is not None
    assert send.app_id == (None if is_personal else OA.id)


@given(bodies, maybe_time, st.booleans())
def test_a_person_who_may_not_is_refused_before_anything_else(
    fields: dict[str, Any], send_at: datetime | None, has_audience: bool
) -> None:
    """A person's notification or broadcast is NotAllowed, whatever else is wrong with it."""
    changes = {"is_broadcast": True} if fields["type"] == "MESSAGE" else {}
    body = make_body(fields, send_at, has_audience=has_audience, **changes)
    with pytest.raises(NotAllowed):
        check_request(body, UserCaller(PEOPLE[0]), policy=POLICY)
