"""One request can be followed through every process, in logs and in traces; and logs hold no credential and no body."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import Engine
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.journey.client import Client
from tests.services import Stack

WORDS = "本月工资单 a-body-that-is-nobodys-business"
ID = "followed-1"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, CALLER = PARENT.split("-")[1:3]


def read_spans(request: ExportTraceServiceRequest) -> Iterator[dict[str, str]]:
    """The spans of one delivery."""
    for resource in request.resource_spans:
        named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for span in chain.from_iterable(scope.spans for scope in resource.scope_spans):
            yield {
                "name": span.name,
                "process": named["service.name"],
                "trace": span.trace_id.hex(),
                "id": span.span_id.hex(),
                "parent": span.parent_span_id.hex(),
            }


class Collector:
    """Takes spans over OTLP/HTTP, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[dict[str, str]] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                spans.extend(read_spans(ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The OTLP endpoint of this collector."""
        return f"http://127.0.0.1:{self._server.server_port}"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector of spans that listens on loopback."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def talkative(collector: Collector) -> Iterator[Stack]:
    """A stack that logs all it can as JSON, and traces."""
    given = {
        "CARILLON_LOG_FORMAT": "json",
        "CARILLON_LOG_LEVEL": "debug",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with services.stack(**given) as stack:
        yield stack


@pytest.fixture
def client(talkative: Stack) -> Iterator[Client]:
    """Clients of the stack that logs all it can."""
    with Client(talkative) as client:
        yield client


@pytest.fixture(scope="module")
def secret(talkative: Stack) -> str:
    """The secret of the app `oa`; people 1 to 3 are added too."""
    settings = load(DatabaseSettings, talkative.environ)
    engine: Engine = make_blocking_engine(settings, application_name="tests")
    with engine.begin() as connection:
        add_people(connection, (1, 2, 3))
        vault = Vault(load(VaultSettings, talkative.environ))
        new = NewApp("oa", "OA系统", "https://oa.example.com/cb", ())
        _, secret = apps.add(connection, new, vault=vault)
    engine.dispose()
    return secret


def read_lines(stack: Stack) -> list[dict[str, Any]]:
    """What our processes have logged, line by line."""
    folder = Path(stack.environ["CARILLON_DATA_DIR"]) / "logs"
    files = [folder / f"{name}.log" for name in stack.processes]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def find_steps(stack: Stack, request_id: str) -> set[tuple[str, str]]:
    """The steps that were logged under a request's id: which process, and what it did."""
    return {
        (line["process"], line["message"].partition(":")[0])
        for line in read_lines(stack)
        if line.get("request_id") == request_id
    }


def test_a_request_is_followed_from_http_to_frame(
    talkative: Stack, client: Client, secret: str
) -> None:
    """Every process logs its steps of a message, and of a broadcast, under the id of the request that sent it."""
    with client.socket(2) as socket:
        body = {"type": "MESSAGE", "title": WORDS, "content": WORDS, "receiver_id": 2}
        answer = client.user(1).post("/messages/", json=body, headers={"X-Request-Id": ID})
        assert answer.headers["x-request-id"] == ID
        assert socket.next_message()["id"] == answer.json()["id"]
        everyone = {"type": "NOTIFICATION", "title": WORDS, "content": WORDS, "is_broadcast": True}
        named = {"X-Request-Id": "followed-2"}
        sent = client.app("oa", secret).post("/messages/", json=everyone, headers=named)
        assert socket.next_message()["id"] == sent.json()["id"]
    one = {
        ("web", "POST /api/v1/messages/"),
        ("web", "accept"),
        ("worker", "persist"),
        ("worker", "publish"),
        ("web", "push"),
    }
    assert wait_until(lambda: find_steps(talkative, ID) == one, seconds=10), find_steps(
        talkative, ID
    )
    many = (one - {("worker", "publish")}) | {("worker", "publish chunk 0")}
    assert wait_until(lambda: find_steps(talkative, "followed-2") >= many, seconds=10)


@pytest.mark.usefixtures("secret")
def test_a_traced_request_has_its_spans_in_every_process(
    client: Client, collector: Collector
) -> None:
    """The request's span is below the caller's; the spans of workers and gateway are below the request's."""
    with client.socket(2) as socket:
        body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
        client.user(1).post("/messages/", json=body, headers={"traceparent": PARENT})
        socket.next_message()

    def mine() -> dict[str, dict[str, str]]:
        return {span["name"]: span for span in collector.spans if span["trace"] == TRACE}

    names = {"POST /api/v1/messages/", "persist", "publish", "push"}
    assert wait_until(lambda: mine().keys() == names, seconds=20), mine()
    request = mine()["POST /api/v1/messages/"]
    assert request["parent"] == CALLER
    assert {mine()[name]["parent"] for name in names - {request["name"]}} == {request["id"]}
    assert mine()["persist"]["process"] == "carillon-worker"
    assert mine()["push"]["process"] == "carillon-gateway"


def test_no_log_holds_a_credential_or_a_body(talkative: Stack, client: Client, secret: str) -> None:
    """At level `debug` no log has a token, ticket, signature, cookie, secret or body, whether it worked or was refused."""
    user, app = client.user(1), client.app("oa", secret)
    token = user.headers["Authorization"].removeprefix("Bearer ")
    ticket = user.post("/ws/tickets").json()["ticket"]
    url = talkative.socket_url
    for query in (f"?token={token}", f"?ticket={ticket}", f"?ticket={ticket}", f"?token={token}x"):
        # Refused, as some of them are meant to be.
        with suppress(InvalidStatus), connect(url + query):
            pass
    httpx.get(f"{talkative.url}/api/v1/ws/messages?token={token}")
    httpx.get(f"{talkative.url}/api/v1/nothing?token={token}&ticket={ticket}")
    body = {"type": "MESSAGE", "title": WORDS, "content": WORDS, "receiver_id": 2}
    user.post("/messages/", json=body)
    app.post("/messages/", json=body | {"type": WORDS})
    app.post("/messages/", content=WORDS.encode())
    operator = talkative.environ["CARILLON_CONSOLE_TOKEN"]
    mark = {"X-Carillon-Console": "1"}
    signed = httpx.post(f"{talkative.url}/console/api/login", content=operator, headers=mark)
    cookie = signed.cookies["carillon_console"]
    httpx.get(f"{talkative.url}/console/api/look", cookies={"carillon_console": cookie})
    # The lane keeps the order: when this send has been published, everything before it has been logged.
    user.post("/messages/", json=body, headers={"X-Request-Id": "followed-3"})
    last = ("worker", "publish")
    assert wait_until(lambda: last in find_steps(talkative, "followed-3"), seconds=10)
    folder = Path(talkative.environ["CARILLON_DATA_DIR"]) / "logs"
    text = "".join(file.read_text(errors="replace") for file in folder.iterdir())
    assert text.count('"request_id":"') > 10
    named = {"token": token, "signature": app.headers["X-Sign"], "ticket": ticket, "cookie": cookie}
    named |= {"operator": operator, "secret": secret, "body": "nobodys-business", "字": "工资单"}
    assert [name for name, value in named.items() if value in text] == []


def test_without_an_endpoint_no_process_loads_tracing() -> None:
    """If no OTLP endpoint is set, neither ingest nor the gateway nor a worker loads an exporter or the SDK of traces."""
    code = (
        "import sys, os\n"
        "import ingest.app, push_gateway.app, workers.services\n"
        "ingest.app.create_app(dict(os.environ)); push_gateway.app.create_app(dict(os.environ))\n"
        "workers.services.open_services(os.environ)\n"
        # What redis-py loads of it wherever it is installed is not ours.
        "print([name for name in sys.modules if 'otlp' in name or 'sdk.trace' in name])\n"
    )
    environ = services.environment(
        database_url="postgresql://x@127.0.0.1:1/x",
        valkey_url="redis://127.0.0.1:1/0",
        data=Path(".carillon"),
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(environ), capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\[\]\n", done.stdout), done.stderr
