"""Every route × every kind of caller (fault row 32): 401, 403 and 404 as the contract says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ingest.http.endpoint import ANYONE, APPS, PEOPLE, PEOPLE_AND_APPS, Endpoint
from ingest.routes import ALL
from tests.ingest.api_server import Api

OWNER, STRANGER = 1, 4


@dataclass(frozen=True)
class Owned:
    """What the owner (person 1, app oa) has, for routes that name a thing."""

    message_id: int
    notice_id: int
    broadcast_id: int
    recalled_id: int


@pytest.fixture(scope="module")
def owned(shared_api: Api) -> Owned:
    """A message of person 1, a notification with a button to person 1, a broadcast; delivered."""
    found = Owned(
        shared_api.send_for_id(shared_api.person(OWNER), receiver_id=2),
        shared_api.send_for_id(
            shared_api.app("oa"),
            receiver_id=OWNER,
            type="NOTIFICATION",
            auto_sso=True,
            target_url="https://oa.example.com/",
            ref="matter",
        ),
        shared_api.send_for_id(shared_api.app("oa"), type="NOTIFICATION", is_broadcast=True),
        shared_api.send_for_id(shared_api.person(OWNER), receiver_id=2),
    )
    shared_api.deliver()
    return found


SEND = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
UPLOAD = {"content_type": "image/png", "filename": "a.png", "size": 1}
# What a sound request of each route is: its path and its body.
SOUND: dict[str, tuple[str, Any]] = {
    "send_message": ("", SEND),
    "send_batch": ("", {"messages": [SEND]}),
    "get_message": ("{message_id}", None),
    "recall_message": ("{recalled_id}", None),
    "get_callback_url": ("{notice_id}", None),
    "list_conversations": ("", None),
    "list_history": ("2", None),
    "read_all": ("", None),
    "list_todos": ("", None),
    "change_message": ("{notice_id}", {"title": "new"}),
    "change_by_ref": ("matter", {"title": "new"}),
    "read_conversation": ("2", {}),
    "count_unread": ("", None),
    "list_broadcasts": ("", None),
    "preview_broadcast": (
        "",
        {"type": "NOTIFICATION", "title": "t", "content": "c", "is_broadcast": True},
    ),
    "get_broadcast": ("{broadcast_id}", None),
    "list_unread": ("{broadcast_id}", None),
    "cancel_broadcast": ("{broadcast_id}", None),
    "search_people": ("", None),
    "list_people": ("", None),
    "list_launchpad": ("", None),
    "list_apps": ("", None),
    "list_events": ("", None),
    "sign_on": ("", {"app_id": "oa", "username": "", "password": ""}),
    "jump": ("?app_id=oa&redirect_to=https%3A%2F%2Foa.example.com%2F", None),
    "verify_ticket": ("", {"ticket": "none"}),
    "start_upload": ("", UPLOAD),
}
# What the owner gets where it is not 200.
OWNERS = {"recall_message": 204, "sign_on": 403, "jump": 302, "verify_ticket": 404}
# Routes that name a thing of the owner's: for anyone else of the right kind it is not there.
NAMED = {
    "get_message",
    "recall_message",
    "change_message",
    "change_by_ref",
    "get_callback_url",
    "get_broadcast",
    "list_unread",
    "cancel_broadcast",
}
SIGNED_IN = [endpoint for endpoint in ALL if endpoint.callers is not ANYONE]


def ask(api: Api, endpoint: Endpoint, owned: Owned, headers: dict[str, str]) -> int:
    """The status of a sound request by this caller."""
    return answer_to(api, endpoint, owned, headers).status_code


def answer_to(
    api: Api, endpoint: Endpoint, owned: Owned, headers: dict[str, str]
) -> httpx.Response:
    """The answer to a sound request by this caller."""
    end, body = SOUND[endpoint.name]
    path = endpoint.path
    if "{" in path:
        before, _, rest = path.partition("{")
        path = before + end.format(**vars(owned)) + rest.partition("}")[2]
    else:
        path += end
    return api.client.request(endpoint.method, path, headers=headers, json=body)


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=lambda endpoint: endpoint.name)
def test_route_by_caller(shared_api: Api, owned: Owned, endpoint: Endpoint) -> None:
    """A route is 401 for nobody, 403 for the wrong kind of caller, and 404 for one whose thing it is not."""
    api, callers = shared_api, endpoint.callers
    assert ask(api, endpoint, owned, {}) == 401
    assert ask(api, endpoint, owned, api.person(OWNER, ttl_seconds=-5)) == 401
    assert ask(api, endpoint, owned, api.app("oa", secret="wrong")) == 401
    if not callers.people:
        assert ask(api, endpoint, owned, api.person(OWNER)) == 403
    if not callers.apps:
        assert ask(api, endpoint, owned, api.app("oa")) == 403
    others = [(callers.people, api.person(STRANGER)), (callers.apps, api.app("crm"))]
    for may_call, headers in others:
        if may_call and endpoint.name in NAMED:
            assert ask(api, endpoint, owned, headers) == 404
    owner = api.person(OWNER) if callers.people else api.app("oa")
    assert ask(api, endpoint, owned, owner) == OWNERS.get(endpoint.name, 200)


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=lambda endpoint: endpoint.name)
def test_no_cache_keeps_what_is_personal(shared_api: Api, owned: Owned, endpoint: Endpoint) -> None:
    """Every answer of a route with callers is `private, no-store`, refusals too (contract §0)."""
    owner = shared_api.person(OWNER) if endpoint.callers.people else shared_api.app("oa")
    for headers in ({}, owner):
        answer = answer_to(shared_api, endpoint, owned, headers)
        assert answer.headers["Cache-Control"] == "private, no-store", answer.status_code


def test_every_signed_in_route_is_in_the_table() -> None:
    """Every route that asks who is calling has a sound request in the table above."""
    assert {endpoint.name for endpoint in SIGNED_IN} == set(SOUND)


def test_a_message_is_seen_by_its_sender_its_receiver_and_its_app(
    shared_api: Api, owned: Owned
) -> None:
    """A message is shown to its sender, its receiver and its app, and to nobody else (contract §2)."""
    api = shared_api
    seen: list[tuple[int, dict[str, str], int]] = [
        (owned.message_id, api.person(1), 200),
        (owned.message_id, api.person(2), 200),
        (owned.message_id, api.person(3), 404),
        (owned.message_id, api.app("oa"), 404),
        (owned.notice_id, api.person(1), 200),
        (owned.notice_id, api.person(2), 404),
        (owned.notice_id, api.app("oa"), 200),
        (owned.notice_id, api.app("crm"), 404),
        (owned.broadcast_id, api.app("oa"), 200),
        (owned.broadcast_id, api.app("crm"), 404),
        (owned.broadcast_id, api.person(1), 404),  # not expanded yet
        (1, api.person(1), 404),
    ]
    for message_id, headers, status in seen:
        assert api.ask("GET", f"/messages/{message_id}", headers=headers).status_code == status


@pytest.mark.parametrize("kind", [PEOPLE, APPS, PEOPLE_AND_APPS])
def test_there_is_a_route_of_each_kind(kind: object) -> None:
    """There are routes for people, for apps and for both, so that the table above says something."""
    assert any(endpoint.callers is kind for endpoint in ALL)


def test_the_wrong_kind_is_told_before_its_body_is_read(shared_api: Api) -> None:
    """A caller of the wrong kind gets 403 before the body is read, even if the body is broken."""
    never: Callable[[], Any] = lambda: iter([b"{"])  # noqa: E731
    headers = shared_api.person(1)
    answer = shared_api.ask("POST", "/messages/batch", headers=headers, content=never())
    assert answer.status_code == 403
