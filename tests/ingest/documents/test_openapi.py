"""`/openapi.json`: valid, complete, described, and true of the server's answers."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import jsonschema
import openapi_spec_validator
import pytest
from sqlalchemy import Engine, insert

from ingest.app import DOCUMENTED
from ingest.documents import examples, openapi
from ingest.documents.examples import RequestExample
from ingest.http.endpoint import ANYONE, Endpoint
from storage.postgres.app_events import callbacks
from storage.postgres.people.apps import Vault, VaultSettings
from storage.postgres.tables import app_secrets, mappings
from storage.settings import load
from tests.builders import add_app, add_people
from tests.ingest.api_server import SECRET, Api, run_api
from tests.journey.guides import find_shape, is_alike

DOCUMENT = openapi.build_document(DOCUMENTED)
JSON = "application/json"


def list_operations(document: Any = DOCUMENT) -> Iterator[tuple[str, str, Any]]:
    """Path, method and operation of everything in the document."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def resolve(document: Any, value: Any) -> Any:
    """What a value of the document stands for, if it is a reference."""
    while "$ref" in value:
        found = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def check_schema(document: Any, schema: Any, value: Any) -> None:
    """A value is as a schema of the document says."""
    jsonschema.validate(value, {**schema, "components": document["components"]})


@pytest.mark.quick
def test_the_document_is_valid_and_has_every_route() -> None:
    """The document has every path, who may call it, its parameters, and the answers of success and failure."""
    openapi_spec_validator.validate(DOCUMENT)
    for endpoint in DOCUMENTED:
        path = endpoint.path.replace(":path}", "}")
        operation = DOCUMENT["paths"][path][endpoint.method.lower()]
        assert operation["summary"]
        assert bool(operation["security"]) is (endpoint.callers is not ANYONE)
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)", endpoint.path))
        assert {str(endpoint.status), "500", "503"} <= set(operation["responses"])
        if endpoint.callers is not ANYONE:
            assert "401" in operation["responses"]
        if endpoint.takes_json:
            assert {"413", "422", "408"} <= set(operation["responses"])
    assert len([*list_operations()]) == len(DOCUMENTED)


@pytest.mark.quick
def test_bounds_are_said_in_words_of_json_schema() -> None:
    """Numbers in paths and queries have `minimum` and `maximum` in the document, and no word that pydantic made up."""
    words = set(re.findall(r'"(\w+)":', json.dumps(DOCUMENT)))
    made_up = {"ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of"}
    assert words.isdisjoint(made_up)
    for _, _, operation in list_operations():
        for parameter in operation["parameters"]:
            for schema in parameter["schema"].get("anyOf", [parameter["schema"]]):
                if "$ref" in schema:  # a list of words
                    continue
                if schema["type"] == "integer":
                    assert schema["minimum"] < schema["maximum"], parameter
                elif schema["type"] == "string" and parameter["in"] != "header":
                    assert schema["maxLength"] or schema["enum"], parameter


@pytest.mark.quick
def test_names_of_operations_are_their_own() -> None:
    """No two operations have the same id, because generated clients make methods of them."""
    assert len({endpoint.name for endpoint in DOCUMENTED}) == len(DOCUMENTED)


@pytest.mark.quick
def test_everything_is_described() -> None:
    """Every field of every schema, every parameter, header, response and security scheme says what it means."""
    mute = []

    def visit(value: Any, *way: str) -> None:
        if isinstance(value, dict):
            parts = [(name, part) for name, part in value.items() if isinstance(part, dict)]
            for name, part in parts:
                is_field = way[-2:-1] == ("properties",)
                lists = ("properties", "headers", "securitySchemes")
                is_described = not is_field and way[-1:] and way[-1] in lists
                if is_described and not resolve(DOCUMENT, part).get("description"):
                    mute.append((*way, name))
                if name not in ("example", "examples", "default"):
                    visit(part, *way, name)
        elif isinstance(value, list):
            for place, part in enumerate(value):
                visit(part, *way, str(place))

    visit(DOCUMENT["components"])
    visit(DOCUMENT["paths"])
    mute += [
        (path, method, parameter["name"])
        for path, method, operation in list_operations()
        for parameter in operation["parameters"]
        if not parameter["description"]
    ]
    assert mute == []


@pytest.mark.quick
def test_every_operation_has_its_readers_and_its_examples() -> None:
    """Each operation has one tag that the document explains, and an example of each JSON body that goes in or out."""
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for path, _, operation in list_operations():
        assert len(operation["tags"]) == 1
        assert set(operation["tags"]) <= tags
        asked = operation.get("requestBody", {}).get("content", {}).get(JSON)
        assert asked is None or asked["examples"], path
        for status, response in operation["responses"].items():
            answered = resolve(DOCUMENT, response).get("content", {}).get(JSON)
            is_document = path.endswith("api.json")
            shown = answered and (answered.get("example") or answered.get("examples"))
            assert answered is None or shown or is_document, (path, status)
    names = {endpoint.name for endpoint in DOCUMENTED}
    assert set(examples.REQUESTS) | set(examples.RESPONSES) <= names


@pytest.mark.quick
def test_every_example_is_as_its_schema_says() -> None:
    """Every example of a request, an answer, an error or a parameter passes the schema beside it."""
    count = 0
    for path, _, operation in list_operations():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for holder in (*bodies, *operation["responses"].values()):
            for content in resolve(DOCUMENT, holder).get("content", {}).values():
                shown = [one["value"] for one in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                for value in shown:
                    check_schema(DOCUMENT, content["schema"], value)
                    count += 1
        for parameter in operation["parameters"]:
            if "example" in parameter:
                check_schema(DOCUMENT, parameter["schema"], parameter["example"])
        assert all("example" in p for p in operation["parameters"] if p["in"] == "path"), path
    assert count > len(DOCUMENTED)


def check(api: Api, endpoint: Endpoint, answer: httpx.Response) -> None:
    """An answer is as the document says."""
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    declared = resolve(DOCUMENT, operation["responses"][str(answer.status_code)])
    check_schema(DOCUMENT, declared["content"][JSON]["schema"], answer.json())
    undeclared = {"content-type", "content-length", "date", "server", "cache-control", "connection"}
    headers = {name for name in answer.headers if name not in undeclared}
    assert headers <= {name.lower() for name in declared["headers"]}


def test_the_document_is_served(shared_api: Api) -> None:
    """`/openapi.json` is this document."""
    assert shared_api.ask("GET", "//openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_answers_are_as_the_document_says(shared_api: Api) -> None:
    """JSON answers of every kind pass the schemas of the document, and have the headers that it names."""
    api = shared_api
    by_name = {endpoint.name: endpoint for endpoint in DOCUMENTED}
    body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
    api.deliver()
    asked: list[tuple[str, str, str, dict[str, str], Any]] = [
        ("send_message", "POST", "/messages/", api.person(1), body),
        ("send_message", "POST", "/messages/", api.person(1), {}),
        ("send_message", "POST", "/messages/", {}, body),
        ("send_message", "POST", "/messages/", api.person(1), body | {"type": "NOTIFICATION"}),
        ("send_batch", "POST", "/messages/batch", api.app(), {"messages": [body, {}]}),
        ("list_conversations", "GET", "/messages/conversations", api.person(2), None),
        ("list_history", "GET", "/messages/history/1", api.person(2), None),
        ("list_history", "GET", "/messages/history/99", api.person(2), None),
        ("count_unread", "GET", "/messages/unread-count", api.person(2), None),
        ("list_people", "GET", "/users/", api.person(2), None),
        ("search_people", "GET", "/users/search", api.person(2), None),
        ("list_apps", "GET", "/apps/", api.person(6), None),
        ("list_launchpad", "GET", "/simple/me/launchpad-apps", api.person(2), None),
        ("list_broadcasts", "GET", "/broadcasts", api.app(), None),
        ("tell_alive", "GET", "//healthz", {}, None),
        ("tell_ready", "GET", "//readyz", {}, None),
    ]
    for name, method, path, headers, body in asked:
        answer = api.ask(method, path, headers=headers, json=body)
        check(api, by_name[name], answer)


@pytest.fixture
def example_api(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with the people and the app of the examples."""
    with engine.begin() as connection:
        add_people(connection, [31001, 31002])
        add_app(connection, 1, app_id="leave", callback_url="https://leave.example.com/callback")
        sealed = Vault(load(VaultSettings, own_environ)).seal(SECRET)
        connection.execute(insert(app_secrets).values(app_id=1, sealed=sealed))
        accounts = {"lisi": 31001, "zhangsan": 31002}
        rows = [{"app_id": 1, "app_user_id": name, "user_id": id} for name, id in accounts.items()]
        connection.execute(insert(mappings), rows)
    with run_api(own_environ, engine) as api:
        yield api


def list_requests() -> Iterator[tuple[Endpoint, RequestExample]]:
    """Every example of a request, with its endpoint."""
    for endpoint in DOCUMENTED:
        for example in examples.REQUESTS.get(endpoint.name, {}).values():
            yield endpoint, example


def test_every_request_that_is_shown_is_accepted(example_api: Api) -> None:
    """The server accepts each request of the document, and its answer has the fields of the answer shown."""
    api, app, me = example_api, example_api.app("leave"), example_api.person(31002)
    card = api.send_for_id(
        app, type="NOTIFICATION", receiver_id=31002, ref="leave-123", state="PENDING"
    )
    api.deliver()
    answers: dict[str, Any] = {}
    for endpoint, example in list_requests():
        headers = app if example.by_app else api.person(31001)
        body: Mapping[str, Any] = example.body
        if endpoint.name == "verify_ticket":  # a ticket is good for a minute
            url = api.ask("POST", "/simple/sso-login", headers=me, json={"app_id": "leave"}).json()
            body = {"ticket": url["redirect_url"].partition("ticket=")[2]}
        path = endpoint.path.replace(":path}", "}").format(
            other_user_id=31002, message_id=card, ref="leave-123"
        )
        answer = api.client.request(endpoint.method, path, headers=headers, json=body)
        assert answer.status_code == 200, (endpoint.name, example, answer.text)
        check(api, endpoint, answer) if "{" not in endpoint.path else None
        answers.setdefault(endpoint.name, answer.json())
    assert answers.keys() == examples.REQUESTS.keys()
    for name, answer in answers.items():
        assert is_alike(find_shape(examples.RESPONSES[name]), find_shape(answer)), (name, answer)


def test_every_answer_that_is_shown_has_the_fields_of_a_real_one(example_api: Api) -> None:
    """What people, apps and operators read has, field for field, the shape of the example in the document."""
    api, app, me = example_api, example_api.app("leave"), example_api.person(31002)
    sent = api.send_for_id(api.person(31001), receiver_id=31002)
    with api.engine.begin() as connection:
        types = ("message.read", "broadcast.cancelled")
        callbacks.set_callback(connection, 1, url=None, events=types)
    notice = examples.REQUESTS["send_message"]
    button = api.ask("POST", "/messages/", headers=app, json=notice["notification"].body).json()[
        "id"
    ]
    api.ask("POST", "/messages/", headers=app, json=notice["card"].body)
    broadcast = api.ask("POST", "/messages/", headers=app, json=notice["audience"].body).json()[
        "id"
    ]
    api.deliver()
    asked = {
        "get_message": (f"/messages/{sent}", me),
        "get_callback_url": (f"/messages/{button}/callback-url", me),
        "list_conversations": ("/messages/conversations", me),
        "list_history": ("/messages/history/31001", me),
        "count_unread": ("/messages/unread-count", me),
        "list_todos": ("/messages/todo", me),
        "list_broadcasts": ("/broadcasts", app),
        "get_broadcast": (f"/broadcasts/{broadcast}", app),
        "search_people": ("/users/search?limit=1", me),
        "list_people": ("/users/?limit=1", me),
        "list_launchpad": ("/simple/me/launchpad-apps", me),
        "list_apps": ("/apps/", me),
        "tell_alive": ("//healthz", {}),
        "tell_ready": ("//readyz", {}),
    }
    answers = {name: api.ask("GET", path, headers=who) for name, (path, who) in asked.items()}
    answers["read_all"] = api.ask("PUT", "/messages/read-all", headers=me)
    api.ask("GET", "/apps/me/events", headers=app)  # gathers what was read
    answers["cancel_broadcast"] = api.ask("POST", f"/broadcasts/{broadcast}/cancel", headers=app)
    answers["list_events"] = api.ask("GET", "/apps/me/events", headers=app)
    for name, answer in answers.items():
        shown = find_shape(examples.RESPONSES[name])
        assert answer.status_code == 200, (name, answer.text)
        assert is_alike(shown, find_shape(answer.json())), (name, answer.json())
    others = {"list_unread", "issue_ticket"}  # of a running stack: test_documents.py of the journey
    assert examples.RESPONSES.keys() - answers.keys() - examples.REQUESTS.keys() == others
