"""Tickets, from a button or the launchpad to the app that redeems them (contract §4, §6)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, update

from storage.postgres.tables import app_redirect_hosts, apps
from tests.ingest.api_server import Api

TARGET = "https://a.biz.example.com/todo/123?x=1&y=2"


def query(url: str) -> dict[str, list[str]]:
    """The parameters of a URL."""
    return parse_qs(urlsplit(url).query)


def verify(api: Api, ticket: str, app_id: str = "oa") -> Any:
    """An app redeems a ticket."""
    body = {"ticket": ticket}
    return api.ask("POST", "/simple/sso/verify", headers=api.app(app_id), json=body)


def notice(api: Api, **changes: Any) -> int:
    """A delivered notification with a button to person 2."""
    body = {"type": "NOTIFICATION", "receiver_id": 2, "auto_sso": True, "target_url": TARGET}
    message_id = api.send_for_id(api.app("oa"), **(body | changes))
    api.deliver()
    return message_id


def test_a_button_leads_to_the_app_with_a_fresh_ticket(shared_api: Api) -> None:
    """Every call gives the button's URL another ticket, with which the app learns once who came."""
    path = f"/messages/{notice(shared_api)}/callback-url"
    urls = [
        shared_api.ask("GET", path, headers=shared_api.person(2)).json()["callback_url"]
        for _ in range(2)
    ]
    assert all(url.startswith("https://oa.example.com/callback?ticket=") for url in urls)
    assert query(urls[0])["next"] == [TARGET]
    tickets = [query(url)["ticket"][0] for url in urls]
    assert tickets[0] != tickets[1]
    assert verify(shared_api, tickets[0]).json() == {
        "user_id": 2,
        "app_user_id": "lisi",
        "mapped_email": "lisi@corp.com",
        "name": "人2",
    }
    assert verify(shared_api, tickets[0]).status_code == 404


def test_another_apps_attempt_does_not_spend_a_ticket(shared_api: Api) -> None:
    """An app that redeems another app's ticket gets 404, and the right app still gets its answer."""
    body = {"app_id": "oa", "username": "", "password": ""}
    answer = shared_api.ask("POST", "/simple/sso-login", headers=shared_api.person(2), json=body)
    [ticket] = query(answer.json()["redirect_url"])["ticket"]
    assert answer.json()["redirect_url"] == f"https://oa.example.com/callback?ticket={ticket}"
    assert verify(shared_api, ticket, "crm").status_code == 404
    assert verify(shared_api, ticket).status_code == 200


@pytest.mark.parametrize(
    ("person", "app_id", "status"),
    [(2, "oa", 200), (1, "oa", 403), (2, "none", 404), (2, "closed", 404)],
)
def test_signing_on_needs_an_app_and_an_account(
    shared_api: Api, person: int, app_id: str, status: int
) -> None:
    """Signing on without an account in the app is 403, to an unknown or inactive app 404."""
    body = {"app_id": app_id}
    headers = shared_api.person(person)
    answer = shared_api.ask("POST", "/simple/sso-login", headers=headers, json=body)
    assert answer.status_code == status


def test_a_jump_redirects_with_a_ticket_that_no_cache_keeps(shared_api: Api) -> None:
    """A jump is a 302 to the app's callback that no cache keeps, and the target comes back unchanged."""
    params = {"app_id": "oa", "redirect_to": TARGET}
    answer = shared_api.ask("GET", "/simple/sso/jump", headers=shared_api.person(1), params=params)
    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert location.startswith("https://oa.example.com/callback?ticket=")
    assert query(location)["next"] == [TARGET]
    assert answer.headers["Cache-Control"] == "private, no-store"
    [ticket] = query(location)["ticket"]
    # Someone without an account in the app is known by their platform id alone.
    assert verify(shared_api, ticket).json() == {
        "user_id": 1,
        "app_user_id": None,
        "mapped_email": None,
        "name": "人1",
    }


def test_a_jump_over_a_callback_that_is_not_ascii(api: Api, engine: Engine) -> None:
    """A callback that is not ASCII is percent-encoded (RFC 3987 §3.1), in a jump, in callback-url and in sso-login."""
    with engine.begin() as connection:
        callback = "https://oa.example.com/回调?名=é"
        connection.execute(update(apps).where(apps.c.id == 7).values(callback_url=callback))
    expected = "https://oa.example.com/%E5%9B%9E%E8%B0%83?%E5%90%8D=%C3%A9&ticket="
    params, body = {"app_id": "oa", "redirect_to": TARGET}, {"app_id": "oa"}
    jump = api.ask("GET", "/simple/sso/jump", headers=api.person(2), params=params)
    assert jump.status_code == 302
    path = f"/messages/{notice(api)}/callback-url"
    shown = api.ask("GET", path, headers=api.person(2)).json()["callback_url"]
    login = api.ask("POST", "/simple/sso-login", headers=api.person(2), json=body)
    for url in (jump.headers["Location"], shown, login.json()["redirect_url"]):
        assert url.startswith(expected)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example.org/", "//oa.example.com/", "javascript:alert(1)", "https://oa.example.com@evil.org/", "https://oa.example.com\\@evil.org/", ""],
)  # fmt: skip
def test_a_jump_leads_nowhere_else(shared_api: Api, target: str) -> None:
    """A jump to a host that the app has not registered is 422, so that there is no open redirect (contract §2)."""
    params = {"app_id": "oa", "redirect_to": target}
    headers = shared_api.person(1)
    answer = shared_api.ask("GET", "/simple/sso/jump", headers=headers, params=params)
    assert answer.status_code == 422
    assert "Location" not in answer.headers


def test_only_a_received_message_with_such_a_button_has_a_callback(shared_api: Api) -> None:
    """Asking for the callback of a message is 404 for its sender, and 422 without a button that signs on."""
    api = shared_api
    sent = api.send_for_id(
        api.person(1), receiver_id=2, content_type="USER_NOTIFICATION", app_id="oa",
        auto_sso=True, target_url="https://oa.example.com/",
    )  # fmt: skip
    plain = api.send_for_id(api.person(1), receiver_id=2)
    linked = api.send_for_id(api.person(1), receiver_id=2, action_url="https://a.example/")
    api.deliver()
    asked = [(sent, 1, 404), (sent, 2, 200), (sent, 3, 404), (plain, 2, 422), (linked, 2, 422)]
    for message_id, person, status in asked:
        path = f"/messages/{message_id}/callback-url"
        assert api.ask("GET", path, headers=api.person(person)).status_code == status


def test_what_an_app_may_is_judged_when_the_button_is_pressed(api: Api, engine: Engine) -> None:
    """A button whose host was taken back since is 422 when it is pressed, and one whose app was closed since is 404."""
    path = f"/messages/{notice(api)}/callback-url"
    headers = api.person(2)
    assert api.ask("GET", path, headers=headers).status_code == 200
    with engine.begin() as connection:
        connection.execute(app_redirect_hosts.delete())
    assert becomes(api, path, headers, 422)
    with engine.begin() as connection:
        connection.execute(update(apps).where(apps.c.id == 7).values(is_active=False))
    assert becomes(api, path, headers, 404)


def becomes(api: Api, path: str, headers: dict[str, str], status: int) -> bool:
    """Whether it does, once what is remembered has been forgotten."""
    from ops.local.polling import wait_until

    return wait_until(
        lambda: api.ask("GET", path, headers=headers).status_code == status, seconds=5
    )


@pytest.mark.parametrize("ticket", ["", "x", "字", "a" * 513])
def test_what_is_no_ticket_is_refused(shared_api: Api, ticket: str) -> None:
    """A ticket that does not exist is 404, and what cannot be a ticket is 422."""
    assert verify(shared_api, ticket).status_code == (404 if 0 < len(ticket) <= 512 else 422)
