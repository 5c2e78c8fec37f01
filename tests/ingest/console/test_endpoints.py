"""What each role may do at the console, and that everything it does is written down."""

import re

import pytest
from sqlalchemy import Engine, text
from starlette.routing import Route

from ingest.console.app import routes
from storage.model.operator import Role
from tests.builders import a_broadcast, a_send, accept
from tests.ingest.api_server import Api
from tests.ingest.console.pages import act_as, add_operator, get, post, read_audit

STEERS = (
    "broadcasts/1/cancel",
    "broadcasts/1/recall",
    "broadcasts/1/retry",
    "messages/1/recall",
    "failed/1/replay",
    "callbacks/1/resume",
    "callbacks/1/test",
    "callbacks/1/replay",
    "pauses",
    "pauses/resume",
)
MANAGES = (
    "messages/1/content",
    "failed/1/drop",
    "apps/7/disable",
    "apps/7/enable",
    "apps/7/rotate-secret",
    "operators",
    "operators/li/disable",
    "operators/li/enable",
    "operators/li/role",
    "operators/li/password",
)
ASKS = ("me", "look", "broadcasts", "scheduled", "messages", "failed", "apps", "callbacks", "people", "pauses", "operators", "audit")  # fmt: skip
# There is nothing with this id.
ASKS_OF_ONE = (
    "broadcasts/1",
    "broadcasts/1/readers",
    "broadcasts/1/unread",
    "broadcasts/1/unread.csv",
    "messages/1",
)


def test_these_are_all_that_there_is_to_ask_and_do() -> None:
    """The lists of this file have every route of the console's API, so that no act is without a test of its role."""
    prefix = "/console/api/"
    paths = {
        (method, route.path.removeprefix(prefix))
        for route in routes()
        if isinstance(route, Route) and route.path.startswith(prefix)
        for method in route.methods or ()
        if method != "HEAD"
    }
    acts = {("POST", make_template(path)) for path in STEERS + MANAGES}
    open_to_all = {("POST", "login"), ("POST", "logout"), ("POST", "me/password")}
    questions = {("GET", make_template(path)) for path in ASKS + ASKS_OF_ONE}
    assert paths == acts | open_to_all | questions


def make_template(path: str) -> str:
    """The path as its route has it."""
    return re.sub("/li(?=/)", "/{name}", re.sub("/[17](?=/|$)", "/{id}", path))


@pytest.mark.parametrize(
    ("role", "refused"), [(Role.VIEWER, STEERS + MANAGES), (Role.OPERATOR, MANAGES)]
)
def test_what_a_role_does_not_allow_is_403_and_a_row(
    console: Api, engine: Engine, role: Role, refused: tuple[str, ...]
) -> None:
    """A button that a role does not allow is 403 and changes nothing, and the audit says who pressed it."""
    add_operator(engine, "wang", role=role)
    add_operator(engine, "li", role=Role.ADMIN)
    with act_as(console, "wang"):
        for path in refused:
            answer = post(console, path, json={})
            assert answer.status_code == 403, path
            assert f"The role {role} does not allow this" in answer.json()["detail"]
        for path in set(STEERS) - set(refused):
            assert post(console, path).status_code in {404, 422}, path
        for path in ASKS:
            assert get(console, path).status_code == 200, path
        for path in ASKS_OF_ONE:
            assert get(console, path).status_code == 404, path
    rows = read_audit(engine, act="refused")
    assert len(rows) == len(refused)
    assert {(row.who, row.role) for row in rows} == {("wang", role)}
    assert rows[-1].after is not None
    if role is Role.VIEWER:
        assert (rows[-1].target, rows[-1].after) == ("broadcast 1", {"act": "broadcast.cancel"})
    with engine.begin() as connection:
        secrets = connection.execute(text("SELECT count(*) FROM app_secrets WHERE app_id = 7"))
        assert secrets.scalar_one() == 1
    assert "carillon_operator_acts_refused_total{" in console.client.get("/metrics").text


def test_who_did_it_is_written_with_the_request(console: Api, engine: Engine) -> None:
    """An act at the console leaves a row with its operator, request id and address, and what it changed."""
    add_operator(engine, "wang")
    with engine.begin() as connection:
        [id] = accept(connection, a_broadcast())
    console.deliver()
    with act_as(console, "wang"):
        answer = post(console, f"broadcasts/{id}/cancel")
    assert answer.status_code == 200
    [row] = read_audit(engine, act="broadcast.cancel")
    assert (row.who, row.role, row.target) == ("wang", "operator", f"broadcast {id}")
    assert (row.before, row.after) == ({"status": "PENDING"}, {"status": "CANCELLED"})
    assert row.request_id == answer.headers["x-request-id"]
    assert row.address == "127.0.0.1"


def test_an_act_that_fails_leaves_no_row(console: Api, engine: Engine) -> None:
    """What was refused for another reason than the role, such as an unknown id, is in no row."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send())
    for path in (f"broadcasts/{id}/cancel", "failed/7/replay", "failed/7/drop", "apps/99/rotate-secret", "operators/nobody/disable"):  # fmt: skip
        assert post(console, path).status_code == 404, path
    assert {row.act for row in read_audit(engine)} == {"console.sign-in"}


def test_a_role_that_was_changed_applies_to_the_next_request(console: Api, engine: Engine) -> None:
    """Somebody who was an admin when they signed in may do no more than a viewer once they are one."""
    add_operator(engine, "wang", role=Role.ADMIN)
    with act_as(console, "wang"):
        assert post(console, "apps/7/rotate-secret").status_code == 200
        with engine.begin() as connection:
            connection.execute(text("UPDATE operators SET role = 'viewer'"))
        assert get(console, "me").json() == {
            "name": "wang",
            "role": "viewer",
            "permissions": ["look"],
        }
        assert post(console, "apps/7/rotate-secret").status_code == 403
