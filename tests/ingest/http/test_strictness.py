"""`Prefer: handling=strict` (contract §0, Strict input): what would be ignored in silence is refused, and named."""

import json
from typing import Any

import httpx
import pytest

from tests.ingest.api_server import Api

STRICT = {"Prefer": "handling=strict"}
PRIVATE = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
NOTICE = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}
TARGET = "https://a.biz.example.com/x"


def name_refused(answer: httpx.Response) -> list[list[Any]]:
    """Where what was refused is; the answer must be the 422 of strict handling."""
    assert (answer.status_code, answer.json()["code"]) == (422, "IGNORED_FIELD"), answer.text
    assert answer.headers["Preference-Applied"] == "handling=strict"
    return [problem["loc"] for problem in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("caller", "body", "named"),
    [
        ("person", PRIVATE | {"head_line": "x", "contents": 1}, ["head_line", "contents"]),
        ("person", PRIVATE | {"target_url": TARGET}, ["target_url"]),
        ("person", PRIVATE | {"sender_app_user_id": "lisi"}, ["sender_app_user_id"]),
        ("person", PRIVATE | {"app_id": "oa"}, ["app_id"]),
        ("person", PRIVATE | {"action_text": "Open"}, ["action_text"]),
        (
            "app",
            NOTICE | {"auto_sso": True, "target_url": TARGET, "action_url": "https://x.example"},
            ["auto_sso", "target_url"],
        ),
        (
            "app",
            NOTICE | {"target_url": TARGET, "action_text": "Open"},
            ["target_url", "action_text"],
        ),
    ],
)
def test_what_has_no_effect_is_named(
    shared_api: Api, caller: str, body: dict[str, Any], named: list[str]
) -> None:
    """Unknown fields and those that change nothing are each named; without the preference the same send is accepted."""
    headers = shared_api.person(1) if caller == "person" else shared_api.app()
    answer = shared_api.ask("POST", "/messages/", headers=headers | STRICT, json=body)
    assert name_refused(answer) == [["body", name] for name in named]
    lenient = shared_api.ask("POST", "/messages/", headers=headers, json=body)
    assert lenient.status_code == 200, lenient.text
    assert "Preference-Applied" not in lenient.headers


@pytest.mark.parametrize(
    "body",
    [
        NOTICE | {"auto_sso": True, "target_url": TARGET, "action_text": "Open"},
        NOTICE | {"action_url": "https://x.example", "action_text": "Open", "app_id": "oa"},
        PRIVATE | {"sender_app_user_id": "lisi", "client_ref": "a"},
        {"type": "MESSAGE", "title": "t", "content": "c", "app_id": "oa", "app_user_id": "lisi"},
        NOTICE
        | {
            "receiver_id": None,
            "is_broadcast": True,
            "audience": {"user_ids": [2], "app_user_ids": None},
        },
    ],
)
def test_what_has_an_effect_is_taken(shared_api: Api, body: dict[str, Any]) -> None:
    """A send of which every field counts is 200, and says that it was judged strictly."""
    answer = shared_api.ask("POST", "/messages/", headers=shared_api.app() | STRICT, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Preference-Applied"] == "handling=strict"


def test_fields_of_an_object_within_are_named_by_their_place(shared_api: Api) -> None:
    """An unknown field of `audience` has a place of two names; an object in `content` is the sender's own."""
    body = NOTICE | {"receiver_id": None, "is_broadcast": True, "content": {"any": {"thing": 1}}}
    answer = shared_api.ask(
        "POST",
        "/messages/",
        headers=shared_api.app() | STRICT,
        json=body | {"audience": {"user_ids": [2], "users": [3]}},
    )
    assert name_refused(answer) == [["body", "audience", "users"]]


def test_a_key_that_stands_twice_is_named(shared_api: Api) -> None:
    """Of two values of one key only the last one counts, so the first would be ignored."""
    body = b'{"type": "MESSAGE", "title": "a", "title": "t", "content": "c", "receiver_id": 2}'
    answer = shared_api.ask(
        "POST", "/messages/", headers=shared_api.person(1) | STRICT, content=body
    )
    assert name_refused(answer) == [["body", "title"]]


def test_what_is_wrong_and_what_is_unknown_come_together(shared_api: Api) -> None:
    """A misspelt field is missing under its own name and unknown under the other: both are named, as VALIDATION."""
    body = {"type": "MESSAGE", "head_line": "t", "content": "c", "receiver_id": 2}
    answer = shared_api.ask("POST", "/messages/", headers=shared_api.person(1) | STRICT, json=body)
    assert answer.json()["code"] == "VALIDATION"
    assert [one["loc"] for one in answer.json()["detail"]] == [
        ["body", "title"],
        ["body", "head_line"],
    ]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/users/search?q=a&limits=3", ["limits"]),
        ("/users/search?q=a&q=b", ["q"]),
        ("/messages/unread-count?since=1", ["since"]),
        ("/messages/history/2?limit=1&other_user_id=3", ["other_user_id"]),
        ("/messages/history/2?limit=1&", []),
    ],
)
def test_parameters_that_nobody_knows_are_named(
    shared_api: Api, path: str, named: list[str]
) -> None:
    """A parameter that is unknown, or given twice, is refused; so is one with the name of a part of the path."""
    answer = shared_api.ask("GET", path, headers=shared_api.person(1) | STRICT)
    if named:
        assert name_refused(answer) == [["query", name] for name in named]
    else:
        assert answer.status_code == 200, answer.text
    assert shared_api.ask("GET", path, headers=shared_api.person(1)).status_code == 200


def test_an_entry_of_a_batch_is_judged_alone(shared_api: Api) -> None:
    """An entry with an unknown field is refused, its neighbour is sent; an unknown field of the batch refuses it whole."""
    entries = [PRIVATE, PRIVATE | {"head_line": "x"}, PRIVATE | {"target_url": TARGET}, None]
    headers = shared_api.app() | STRICT
    answer = shared_api.ask("POST", "/messages/batch", headers=headers, json={"messages": entries})
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [200, 422, 422, 422]
    assert [one.get("code") for one in results] == [
        None,
        "IGNORED_FIELD",
        "IGNORED_FIELD",
        "VALIDATION",
    ]
    assert results[1]["detail"][0]["loc"] == ["body", "head_line"]
    whole = {"messages": [PRIVATE], "atomic": True}
    refused = shared_api.ask("POST", "/messages/batch", headers=headers, json=whole)
    assert name_refused(refused) == [["body", "atomic"]]


def test_a_key_that_an_entry_repeats_refuses_that_entry_alone(shared_api: Api) -> None:
    """A key that stands twice in an entry, at whatever depth, is that entry's refusal; outside of the entries it is the batch's."""
    good = json.dumps(PRIVATE)
    twice = good.replace("{", '{"title": "before", ', 1)
    within = json.dumps(PRIVATE | {"content": {"a": [{"b": 1}]}}).replace(
        '"b": 1', '"b": 1, "b": 2'
    )
    unreadable = twice.replace("{", '{"odd": "\\ud800", ', 1)
    body = f'{{"messages": [{good}, {twice}, {within}, {unreadable}, {good}]}}'
    headers = shared_api.app() | STRICT
    answer = shared_api.ask("POST", "/messages/batch", headers=headers, content=body.encode())
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [200, 422, 422, 422, 200]
    refused = [(one["code"], one["detail"][0]["loc"]) for one in results[1:3]]
    assert refused == [("IGNORED_FIELD", ["body", "title"]), ("IGNORED_FIELD", ["body", "b"])]
    assert results[3]["code"] != "IGNORED_FIELD"
    whole = f'{{"messages": [], "messages": [{good}]}}'.encode()
    answer = shared_api.ask("POST", "/messages/batch", headers=headers, content=whole)
    assert name_refused(answer) == [["body", "messages"]]
    lenient = shared_api.ask(
        "POST", "/messages/batch", headers=shared_api.app(), content=body.encode()
    )
    assert [one["status"] for one in lenient.json()["results"]] == [200, 200, 200, 422, 200]


def test_waiting_and_strictness_go_together(api: Api) -> None:
    """Both preferences of one header are applied, and both are in the answer."""
    headers = api.person(1) | {"Prefer": "handling=strict, wait=1"}
    answer = api.ask("POST", "/messages/", headers=headers, json=PRIVATE)
    assert answer.headers["Preference-Applied"].split(", ")[-1] == "handling=strict"
    refused = api.ask("POST", "/messages/", headers=headers, json=PRIVATE | {"x": 1})
    assert name_refused(refused) == [["body", "x"]]


def test_uploads_and_sign_on_are_judged_too(shared_api: Api) -> None:
    """Every JSON body is: an unknown field of an upload, and a password that nobody looks at."""
    me = shared_api.person(2) | STRICT
    upload = {"content_type": "image/png", "filename": "a.png", "size": 1, "length": 1}
    assert name_refused(shared_api.ask("POST", "/media/uploads", headers=me, json=upload)) == [
        ["body", "length"]
    ]
    login = {"app_id": "oa", "username": "", "password": "secret"}
    assert name_refused(shared_api.ask("POST", "/simple/sso-login", headers=me, json=login)) == [
        ["body", "password"]
    ]
    login["password"] = ""
    assert shared_api.ask("POST", "/simple/sso-login", headers=me, json=login).status_code == 200


def test_a_caller_who_is_not_signed_in_learns_nothing_more(shared_api: Api) -> None:
    """401 comes before anything is judged, so no preference was applied."""
    answer = shared_api.ask("POST", "/messages/", headers=STRICT, json=PRIVATE | {"x": 1})
    assert answer.status_code == 401
    assert "Preference-Applied" not in answer.headers
