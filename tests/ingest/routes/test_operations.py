"""The routes for operators: probes and metrics; and the document, limits and slow bodies (contract §7)."""

import json
import re
import socket
import time
from collections.abc import Mapping

from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from tests.ingest.api_server import API, Api, run_api


def test_metrics_are_there_from_the_start(shared_api: Api) -> None:
    """The metrics that dashboards and alarms use are there from the start, by route template and never by id."""
    shared_api.ask("GET", "/messages/history/2", headers=shared_api.person(1))
    shared_api.ask("GET", "/nothing/of-ours")
    text = shared_api.ask("GET", "//metrics").text
    for name in (
        "accepted_waiting",
        "accepted_oldest_seconds",
        "failed_sends",
        "broadcasts_running",
        "broadcast_people_left",
    ):
        assert re.search(rf"^carillon_{name} \d", text, re.MULTILINE), name
    template = 'route="/api/v1/messages/history/{other_user_id}",status="200"'
    assert f'carillon_request_seconds_count{{method="GET",{template}}}' in text
    assert "of-ours" not in text
    assert 'carillon_intake_seconds_count{stage="commit"}' in text


def test_ready_means_that_every_part_answers(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A broker that is away, or a schema that is older than the code, makes /readyz 503, and the answer names it."""
    away = {"CARILLON_BROKER_URL": "redis://127.0.0.1:1/0"}
    with run_api({**own_environ, **away}, engine) as api:
        assert_not_ready(api, "broker")
        assert api.ask("GET", "//healthz").status_code == 200
    with run_api({**own_environ, "CARILLON_VALKEY_URL": "redis://127.0.0.1:1/0"}, engine) as api:
        assert_not_ready(api, "broker, bus")
    with run_api(own_environ, engine) as api:
        assert api.ask("GET", "//readyz").json() == {"database": "ok", "broker": "ok", "bus": "ok"}
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
        assert wait_until(lambda: api.ask("GET", "//readyz").status_code == 503, seconds=5)
        assert_not_ready(api, "database")


def assert_not_ready(api: Api, parts: str) -> None:
    """503 with Retry-After, naming the parts, within three seconds."""
    began = time.monotonic()
    answer = api.ask("GET", "//readyz")
    assert answer.status_code == 503
    assert f"Not ready: {parts} " in answer.json()["detail"]
    assert answer.headers["Retry-After"]
    assert time.monotonic() - began < 4


def test_an_app_over_its_share_is_429(own_environ: Mapping[str, str], engine: Engine) -> None:
    """An app over its rate is 429 with Retry-After; other apps and people are not held back by it."""
    limit = {"CARILLON_APP_DAILY_QUOTA": "2", "CARILLON_APP_LIMIT_WAIT_SECONDS": "5"}
    with run_api({**own_environ, **limit}, engine) as api:
        statuses = [api.send(api.app("oa"), receiver_id=2).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        refused = api.send(api.app("oa"), receiver_id=2)
        assert int(refused.headers["Retry-After"]) >= 1
        assert api.send(api.app("crm"), receiver_id=2).status_code == 200
        assert api.send(api.person(1), receiver_id=2).status_code == 200
        batch = {"messages": [{"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}]}
        answer = api.ask("POST", "/messages/batch", headers=api.app("oa"), json=batch)
        assert answer.status_code == 429


def answer_in_pieces(api: Api, pieces: list[bytes], *, length: int, more: str = "") -> bytes:
    """All that comes until the connection is closed, to a send whose body comes piece by piece."""
    url = api.client.base_url
    headers = "".join(f"{name}: {value}\r\n" for name, value in api.person(1).items())
    head = f"POST {API}/messages/ HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=10) as client:
        client.sendall(f"{head}{headers}{more}\r\n".encode())
        for piece in pieces:
            time.sleep(0.02)
            client.sendall(piece)
        answer = b""
        while part := client.recv(4096):
            answer += part
    return answer


def test_a_slow_body_is_408(own_environ: Mapping[str, str], engine: Engine) -> None:
    """A body that does not arrive in its time is 408, and the connection is closed (fault row 35)."""
    with run_api({**own_environ, "CARILLON_BODY_TIMEOUT_SECONDS": "0.3"}, engine) as api:
        answer = answer_in_pieces(api, [b"{"], length=100)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'{"detail":' in answer


def test_a_body_in_pieces_is_read(own_environ: Mapping[str, str], engine: Engine) -> None:
    """A body that comes piece by piece within its time is read, however often it has to be waited for."""
    body = json.dumps({"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}).encode()
    pieces = [body[start : start + 16] for start in range(0, len(body), 16)]
    with run_api({**own_environ, "CARILLON_BODY_TIMEOUT_SECONDS": "10"}, engine) as api:
        close = "Connection: close\r\n"
        answer = answer_in_pieces(api, pieces, length=len(body), more=close)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"title":"t"' in answer
