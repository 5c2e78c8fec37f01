"""docker-compose.yml, run: every command line in it works, and the proxy in front of it."""

import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import httpx
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from websockets.sync.client import connect

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from storage.keys.tokens import TokenSettings, issue_token
from storage.media.store import MediaSettings, make_media_store
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.ops.compose import ROOT, Container

SERVERS = ("ingest", "gateway")
WORKERS = ("worker-sends", "worker-broadcasts", "worker-upkeep", "worker-callbacks", "beat")
# What is for those who run it, written in every way that a server might read as it.
INSIDE = (
    "/console", "/console/", "/console/api/look", "/console/static/console.js", "/docs", "/docs/files/",
    "/openapi.json", "/readyz", "/metrics", "/", "/api", "/api/v2/x",
    "//console/", "/Console/", "/%63onsole/", "/./console/", "/api/v1/../../console/",
    "/api/v1/%2e%2e/%2e%2e/console/", "/api/v1/..%2f..%2fconsole/", "/healthz/../console/",
    "/healthz/console/", "/api/v1/..;/..;/console/", "/metrics/", "/metrics%2f", "/openapi.json?/api/v1/",
)  # fmt: skip


@pytest.fixture(scope="module")
def values() -> dict[str, str]:
    """What `ops/new-env.sh` writes into .env."""
    made = subprocess.run(
        [ROOT / "ops/new-env.sh"], check=True, capture_output=True, text=True, timeout=20
    )
    return dict(line.split("=", 1) for line in made.stdout.splitlines())


@pytest.fixture(scope="module")
def deployed(
    postgres: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    values: dict[str, str],
) -> Iterator[dict[str, Container]]:
    """Every service of ours, running and healthy."""
    system = services.in_database(postgres.url, "postgres")
    with psycopg.connect(system, autocommit=True) as connection:
        connection.execute("CREATE DATABASE deployed")
    services.flush(valkey_server)
    admin = services.in_database(postgres.url, "deployed")
    as_owner = {"CARILLON_DATABASE_OWNER_URL": as_role(admin, "carillon_owner")}
    with services.folder() as folder:
        environ = {
            "CARILLON_DATABASE_URL": as_role(admin, "carillon_app"),
            "CARILLON_VALKEY_URL": valkey_server.url,
            "CARILLON_BROKER_URL": valkey_server.url,
        }
        ports = {"8000": str(find_free_port()), "8001": str(find_free_port()), "/tmp": str(folder)}
        running = {
            name: Container(name, values, folder, ports, environ | _worker_environ(name, folder))
            for name in ("roles", "migrate", *SERVERS, *WORKERS)
        }
        running["roles"].environ = environ | as_owner | {"CARILLON_DATABASE_ADMIN_URL": admin}
        running["migrate"].environ = environ | as_owner
        try:
            for name in ("roles", "migrate"):
                running[name].start()
                process = running[name].process
                assert process is not None
                assert process.wait(60) == 0, running[name].log.read_text()
            for name in (*SERVERS, *WORKERS):
                running[name].start()
            yield running
        finally:
            for container in running.values():
                container.kill()
    with psycopg.connect(system, autocommit=True) as connection:
        connection.execute("DROP DATABASE deployed WITH (FORCE)")


def as_role(url: str, role: str) -> str:
    """The same database as that role, with a password of its own."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:the-password-of-{role}@{address}").geturl()


@pytest.mark.parametrize("name", [*SERVERS, *WORKERS])
def test_every_command_runs_and_is_healthy(deployed: dict[str, Container], name: str) -> None:
    """With the file's environment, arguments and health check; and it stays so."""
    deployed[name].await_healthy()
    assert deployed[name].is_healthy(), deployed[name].log.read_text()


@pytest.mark.parametrize("name", [name for name in WORKERS if name != "beat"])
def test_every_worker_shows_its_metrics(deployed: dict[str, Container], name: str) -> None:
    """The pool's numbers, served by the main process on the port that Prometheus scrapes."""
    deployed[name].await_healthy()
    port = deployed[name].environ["CARILLON_WORKER_METRICS_PORT"]
    if name == "worker-upkeep":
        assert wait_until(
            lambda: 'carillon_task_seconds_count{task="sweep"}' in _metrics(port), seconds=10
        )
        assert 'carillon_queue_rings{queue="sends"} 0.0' in _metrics(port)
    else:
        assert _status(f"http://127.0.0.1:{port}/metrics") == 200


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_rest_and_sockets_share_the_proxys_address(
    deployed: dict[str, Container], tmp_path: Path
) -> None:
    """Through the proxy of the file: a person sends, another's socket gets the frame."""
    for name in SERVERS:
        deployed[name].await_healthy()
    token = _people(deployed["ingest"], 1, 2)
    with _proxy(deployed, tmp_path, {}) as url:
        for path in INSIDE:
            assert _status(f"{url}{path}") == 404, path
        assert _status(f"{url}/api/v1/users/") == 401
        with connect(f"{url.replace('http', 'ws', 1)}/api/v1/ws/messages?token={token[2]}") as sock:
            body = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": 2}
            sent = _post(f"{url}/api/v1/messages/", token[1], body)
            while (frame := json.loads(sock.recv(timeout=20)))["type"] != "NEW_MESSAGE":
                pass
        assert frame["data"]["id"] == sent["id"]


@contextmanager
def _proxy(
    deployed: dict[str, Container], folder: Path, environ: dict[str, str], *, scheme: str = "http"
) -> Iterator[str]:
    """The proxy of the file in front of the servers; its URL."""
    port, health, ports = find_free_port(), find_free_port(), deployed["ingest"].replaced
    hosts = {
        "CARILLON_SITE": f":{port}" if scheme == "http" else f"localhost:{port}",
        "PROXY_HTTP_PORT": str(find_free_port()),
        "PROXY_HTTPS_PORT": str(port) if scheme == "https" else "1",
        "PROXY_HEALTH_PORT": str(health),
        "INGEST_HOST": "localhost",
        "INGEST_PORT": ports["8000"],
        "GATEWAY_HOST": "localhost",
        "GATEWAY_PORT": ports["8001"],
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    with (folder / "caddy.log").open("ab") as log:
        proxy = subprocess.Popen(
            ["caddy", "run", "--config", ROOT / "ops/proxy/Caddyfile", "--adapter", "caddyfile"],
            env=hosts | environ,
            stdout=log,
            stderr=log,
        )
    try:
        # As the container's own health check asks.
        is_up = wait_until(lambda: _status(f"http://127.0.0.1:{health}/healthz") == 200, seconds=30)
        assert is_up, (folder / "caddy.log").read_text()
        assert _status(f"http://127.0.0.1:{health}/readyz") == 404
        yield f"http://127.0.0.1:{port}" if scheme == "http" else f"https://localhost:{port}"
    finally:
        proxy.terminate()
        proxy.wait(20)


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_the_proxy_speaks_tls(deployed: dict[str, Container], tmp_path: Path) -> None:
    """With a domain and a certificate of its own authority, REST and sockets are https and wss, and ingest knows it."""
    for name in SERVERS:
        deployed[name].await_healthy()
    token = _people(deployed["ingest"], 3)
    environ = {"CARILLON_PROXY_TLS": "tls internal", "CARILLON_PROXY_SHOWS": "/console /console/*"}
    with _proxy(deployed, tmp_path, environ, scheme="https") as url:
        [authority] = tmp_path.rglob("root.crt")
        trusting = ssl.create_default_context(cafile=str(authority))
        answer = httpx.get(f"{url}/api/v1/users/", verify=trusting)
        assert answer.status_code == 401
        socket = f"{url.replace('http', 'ws', 1)}/api/v1/ws/messages?token={token[3]}"
        with connect(socket, ssl=trusting) as opened:
            opened.send("ping")
            while opened.recv(timeout=10) != "pong":
                pass
        assert _is_secure(deployed, url, verify=trusting)


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_media_go_through_the_proxy(deployed: dict[str, Container], tmp_path: Path) -> None:
    """A form uploads to the bucket and a signed URL shows the object, at the proxy's address, where what it holds can do nothing."""
    deployed["ingest"].await_healthy()
    bucket = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    bucket.start()
    host, port = bucket.get_host_and_port()
    try:
        with _proxy(deployed, tmp_path, {"S3_HOST": host, "S3_PORT": str(port)}) as url:
            settings = _bucket_settings(f"http://{host}:{port}", url)
            store = make_media_store(load(MediaSettings, settings))
            _make_bucket(settings)
            form = store.upload("user-1/a.png", content_type="image/png", size=3)
            assert form.url.startswith(url)
            sent = httpx.post(form.url, data=form.fields, files={"file": ("a.png", b"abc")})
            assert sent.status_code in {200, 204}, sent.text
            shown = httpx.get(store.url("user-1/a.png"))
            assert shown.content == b"abc"
            assert "sandbox" in shown.headers["content-security-policy"]
            assert shown.headers["x-content-type-options"] == "nosniff"
            assert httpx.delete(f"{url}/carillon/user-1/a.png").status_code == 404
            assert httpx.get(f"{url}/other/user-1/a.png").status_code == 404
    finally:
        bucket.stop()


def _bucket_settings(internal: str, public: str) -> dict[str, str]:
    return {
        "CARILLON_S3_BUCKET": "carillon",
        "CARILLON_S3_ENDPOINT_URL": public,
        "CARILLON_S3_INTERNAL_URL": internal,
        "CARILLON_S3_ACCESS_KEY_ID": "key",
        "CARILLON_S3_SECRET_ACCESS_KEY": "secret",
    }


def _make_bucket(settings: dict[str, str]) -> None:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=settings["CARILLON_S3_INTERNAL_URL"],
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket="carillon")


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_the_proxy_shows_what_a_variable_names(
    deployed: dict[str, Container], tmp_path: Path
) -> None:
    """The console is let through if asked for, and its cookie is Secure where the proxy in front says https."""
    deployed["ingest"].await_healthy()
    shows = {"CARILLON_PROXY_SHOWS": "/console /console/* /docs /docs/* /openapi.json"}
    with _proxy(deployed, tmp_path, shows) as url:
        for path in ("/console/", "/docs", "/openapi.json"):
            assert _status(f"{url}{path}") == 200, path
        for path in ("/readyz", "/metrics", "/nothing"):
            assert _status(f"{url}{path}") == 404, path
        assert not _is_secure(deployed, url, scheme="http")
        assert _is_secure(deployed, url, scheme="https")
    far = shows | {"CARILLON_TRUSTED_PROXIES": "192.0.2.1/32"}
    with _proxy(deployed, tmp_path, far) as url:
        assert not _is_secure(deployed, url, scheme="https")


def _is_secure(
    deployed: dict[str, Container],
    url: str,
    *,
    scheme: str | None = None,
    verify: ssl.SSLContext | bool = True,
) -> bool:
    """Whether the console's cookie is Secure for who comes by a proxy in front that says this scheme (None: there is none)."""
    token = deployed["ingest"].values["CARILLON_CONSOLE_TOKEN"]
    headers = {"X-Carillon-Console": "1"} | ({"X-Forwarded-Proto": scheme} if scheme else {})
    answer = httpx.post(f"{url}/console/api/login", content=token, headers=headers, verify=verify)
    assert answer.status_code == 200, answer.text
    return answer.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("name", [*reversed(WORKERS), *SERVERS])
def test_every_command_ends_in_its_grace_period(deployed: dict[str, Container], name: str) -> None:
    """SIGTERM, as `docker compose stop` sends it."""
    deployed[name].await_healthy()
    assert deployed[name].stop() in {0, -15}


def _worker_environ(name: str, folder: Path) -> dict[str, str]:
    """What a container has to itself: a port, and a folder in memory."""
    if not name.startswith("worker-"):
        return {}
    shared = folder / f"{name}-tmp"
    shared.mkdir()
    return {
        "CARILLON_WORKER_METRICS_PORT": str(find_free_port()),
        "PROMETHEUS_MULTIPROC_DIR": str(shared),
    }


def _metrics(port: str) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text


def _people(ingest: Container, *user_ids: int) -> dict[int, str]:
    """New people, and a token of each."""
    settings = load(DatabaseSettings, ingest.environ)
    engine = make_blocking_engine(settings, application_name="tests")
    with engine.begin() as connection:
        add_people(connection, user_ids)
    engine.dispose()
    tokens = TokenSettings(secret=ingest.values["CARILLON_JWT_SECRET"])
    now = time.time()
    return {user_id: issue_token(tokens, user_id, ttl_seconds=600, now=now) for user_id in user_ids}


def _status(url: str) -> int:
    """The status of a GET of exactly this URL, dots and all; 0 while nobody listens."""
    place = urlsplit(url)
    connection = HTTPConnection(place.netloc, timeout=5)
    try:
        connection.request("GET", url.removeprefix(f"http://{place.netloc}"))
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _post(url: str, token: str, body: dict[str, object]) -> dict[str, int]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(url, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    found: dict[str, int] = answer.json()
    return found
