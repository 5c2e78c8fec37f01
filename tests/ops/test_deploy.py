"""docker-compose.yml: valid, without secrets, and every command line in it works."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import jsonschema
import psycopg
import pytest
import yaml
from websockets.sync.client import connect

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from ops.local.stack import prepare_programs
from storage.keys.tokens import TokenSettings, issue_token
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_people
from tests.ops.compose import ROOT, Container, document, fill_in, of_carillon

SERVERS = ("ingest", "gateway")
WORKERS = ("worker-sends", "worker-broadcasts", "worker-upkeep", "beat")
# What is for those who run it, written in every way that a server might read as it.
INSIDE = (
    "/console", "/console/", "/console/api/look", "/console/static/console.js", "/docs", "/docs/files/",
    "/openapi.json", "/readyz", "/metrics", "/", "/api", "/api/v2/x",
    "//console/", "/Console/", "/%63onsole/", "/./console/", "/api/v1/../../console/",
    "/api/v1/%2e%2e/%2e%2e/console/", "/api/v1/..%2f..%2fconsole/", "/healthz/../console/",
    "/healthz/console/", "/api/v1/..;/..;/console/", "/metrics/", "/metrics%2f", "/openapi.json?/api/v1/",
)  # fmt: skip
SECRET = re.compile(r"PASS(WORD)?|SECRET|_KEY")


def test_it_is_valid_by_the_compose_specification() -> None:
    """Its published schema has nothing to say against it."""
    text = (files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text()
    jsonschema.validate(document(), json.loads(text))


def test_no_secret_is_in_it() -> None:
    """Whatever is a secret comes from the environment, and is required where it is used."""
    found = [
        (name, value)
        for service in document()["services"].values()
        for name, value in service.get("environment", {}).items()
        if SECRET.search(name)
    ]
    assert len(found) > 10
    assert [one for one in found if not one[1].startswith("${")] == []


def test_every_service_is_bounded_and_comes_back() -> None:
    """Memory, CPU and processes have limits; what dies is started again; who serves is asked how it is."""
    for name, service in document()["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert "healthcheck" in service or service["restart"] == "on-failure", name
    for name, service in of_carillon().items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_the_commands_are_those_of_the_deploy_page() -> None:
    """What the deploy page says to start is what compose runs (but for addresses and folders)."""
    page = (ROOT / "docs/operations/deploy.md").read_text()
    _, _, rest = page.partition("## Without containers")
    block = rest.partition("```sh")[2].partition("```")[0].replace("\\\n", " ")
    said = {_plain(line.partition("#")[0]) for line in block.splitlines() if line.strip()}
    assert {_plain(service["command"]) for service in of_carillon().values()} == said


def _plain(command: str) -> str:
    return re.sub(r"--schedule \S+", "", " ".join(command.split())).strip()


def test_every_server_is_started_with_our_http_protocol() -> None:
    """And keeps connections longer than nginx's pools do (60 s), or requests meet one that is closing."""
    manifests = [
        container["command"]
        for name in SERVERS
        for one in yaml.safe_load_all((ROOT / f"ops/kubernetes/base/{name}.yaml").read_text())
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    ]
    composed = [service["command"].split() for service in of_carillon().values()]
    with services.folder() as folder:
        here = prepare_programs({"CARILLON_DATA_DIR": str(folder), "CARILLON_PORT": "1"})
    commands = [*manifests, *composed, *(program.command for program in here)]
    served = [command for command in commands if "uvicorn" in command]
    assert len(served) == 5
    for command in served:
        options = dict(pairwise(command))
        assert options["--http"] == "ops.http.protocol:HttpProtocol"
        assert int(options["--timeout-keep-alive"]) > 60
        assert int(options["--timeout-graceful-shutdown"]) > 0


def test_the_image_has_what_the_commands_need() -> None:
    """The Dockerfile copies every package; what Docker does not get is not asked for."""
    dockerfile = (ROOT / "ops/Dockerfile").read_text()
    for package in ("ingest", "workers", "push_gateway", "storage", "ops"):
        assert f"COPY {package} {package}" in dockerfile
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for line in copied for name in line.split()} <= set(let_in)
    assert "USER carillon" in dockerfile


@pytest.fixture(scope="module")
def values() -> dict[str, str]:
    """What `ops/new-env.sh` writes into .env."""
    made = subprocess.run(
        [ROOT / "ops/new-env.sh"], check=True, capture_output=True, text=True, timeout=20
    )
    return dict(line.split("=", 1) for line in made.stdout.splitlines())


def test_new_secrets_are_enough(values: dict[str, str]) -> None:
    """With a fresh .env nothing that the file requires is missing; without it, it says what to do."""
    text = (ROOT / "docker-compose.yml").read_text()
    body = text.partition("x-environment")[2]
    assert "run ops" not in fill_in(body, values)
    with pytest.raises(KeyError, match="POSTGRES_APP_PASSWORD"):
        fill_in(body, {})


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


@pytest.mark.parametrize("name", ["worker-sends", "worker-broadcasts", "worker-upkeep"])
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
    token = _people(deployed["ingest"])
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
def _proxy(deployed: dict[str, Container], folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """The proxy of the file in front of the servers; its URL."""
    port, ports = find_free_port(), deployed["ingest"].replaced
    hosts = {
        "PROXY_PORT": str(port),
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
        url = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: _status(f"{url}/healthz") == 200, seconds=20)
        yield url
    finally:
        proxy.terminate()
        proxy.wait(20)


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


def _is_secure(deployed: dict[str, Container], url: str, *, scheme: str) -> bool:
    """Whether the console's cookie is Secure for who comes by a proxy that says this scheme."""
    token = deployed["ingest"].values["CARILLON_CONSOLE_TOKEN"]
    headers = {"X-Carillon-Console": "1", "X-Forwarded-Proto": scheme}
    answer = httpx.post(f"{url}/console/api/login", content=token, headers=headers)
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


def _people(ingest: Container) -> dict[int, str]:
    """Two people, and a token of each."""
    settings = load(DatabaseSettings, ingest.environ)
    engine = make_blocking_engine(settings, application_name="tests")
    with engine.begin() as connection:
        add_people(connection, (1, 2))
    engine.dispose()
    tokens = TokenSettings(secret=ingest.values["CARILLON_JWT_SECRET"])
    now = time.time()
    return {user_id: issue_token(tokens, user_id, ttl_seconds=600, now=now) for user_id in (1, 2)}


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
