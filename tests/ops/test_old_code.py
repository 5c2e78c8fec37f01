"""The last release works on this version's schema: `carillon db upgrade` may run while old processes still serve.

An upgrade is rolling: the schema is migrated first, then the processes are replaced one by one.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from websockets.sync.client import connect

from ops.local.polling import wait_until
from ops.local.ports import is_port_free
from storage.keys.vault import Vault, VaultSettings
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import load
from tests import services
from tests.builders import add_people
from tests.ingest.api_server import sign
from tests.ops.compose import ROOT, Container
from tests.ops.wheel import build_wheel
from tests.services import bearer

PROCESSES = ("ingest", "gateway", "worker-sends", "worker-broadcasts", "worker-upkeep", "beat")
PATIENCE = 60.0
PRIVATE = {"type": "MESSAGE", "title": "私信", "content": "你好", "receiver_id": 2}
NOTICE = {"type": "NOTIFICATION", "title": "公告", "content": "今晚维护", "is_broadcast": True}


# A wheel is built and six processes start, on a machine that may be busy.
pytestmark = pytest.mark.timeout(300)


def git(*words: str) -> bytes:
    """What git says of this tree; skips the test where it has nothing to say."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"`git {' '.join(words)}` finds nothing here: no release to try")
    return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the newest release before this commit; skips the test while there is none."""
    tag = git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD").decode().strip()
    tree = tmp_path_factory.mktemp("release")
    subprocess.run(["tar", "-x"], input=git("archive", tag), cwd=tree, check=True)
    return tree


@pytest.fixture(scope="module")
def packages(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its wheel, installed into a folder of its own, beside the dependencies of this version."""
    wheel = build_wheel(release, into=tmp_path_factory.mktemp("wheel"))
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command += ["--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    subprocess.run(command, check=True, timeout=100)
    return folder


@dataclass(frozen=True)
class OldStack:
    """Processes of the last release on servers that this version has migrated."""

    api: str
    socket_url: str
    environ: dict[str, str]
    running: list[Container]

    def logs(self) -> str:
        """What they have logged."""
        return "\n".join(container.log.read_text() for container in self.running)


@pytest.fixture
def old_stack(
    release: Path, packages: Path, database_url: str, valkey_url: str
) -> Iterator[OldStack]:
    """All of them, ready; ended with the test."""
    made = subprocess.run([release / "ops/new-env.sh"], check=True, capture_output=True, text=True)
    values = dict(line.split("=", 1) for line in made.stdout.splitlines())
    ingest, gateway = islice(filter(is_port_free, ports()), 2)
    with services.folder() as folder, ExitStack() as stack:
        given = services.environment(database_url=database_url, valkey_url=valkey_url, data=folder)
        environ = {**given, "CARILLON_BROKER_URL": valkey_url, "PYTHONPATH": str(packages)}
        environ["CARILLON_WORKER_METRICS_PORT"] = "0"
        replaced = {"8000": str(ingest), "8001": str(gateway), "/tmp": str(folder)}
        running: list[Container] = []
        found = OldStack(
            f"http://127.0.0.1:{ingest}",
            f"ws://127.0.0.1:{gateway}/api/v1/ws/messages",
            environ,
            running,
        )
        for name in PROCESSES:
            container = Container(name, values, folder, replaced, environ, tree=release)
            container.start()
            stack.callback(container.kill)
            running.append(container)
        for port in (ingest, gateway):
            ready = partial(is_ready, f"http://127.0.0.1:{port}/readyz")
            assert wait_until(ready, seconds=PATIENCE), found.logs()
        yield found


def ports() -> Iterator[int]:
    """Ports that no outgoing connection is given, however many are opened before the process listens."""
    while True:
        yield random.randrange(10_000, 32_000)


def as_app(app_id: str, secret: str) -> dict[str, str]:
    """The headers of an app's calls."""
    timestamp = str(int(time.time()))
    signature = sign(f"app_id={app_id}&timestamp={timestamp}", secret=secret)
    return {"X-App-Id": app_id, "X-Timestamp": timestamp, "X-Sign": signature}


def is_ready(url: str) -> bool:
    """Whether a process says that it can take work."""
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_it_is_the_last_release_that_runs(release: Path, packages: Path, tmp_path: Path) -> None:
    """The processes of these tests import the release's packages, and none of this tree."""
    code = "import ingest.app, workers.tasks, push_gateway.app, storage, ops\n"
    code += "for one in (ingest, workers, push_gateway, storage, ops): print(one.__file__)"
    environ = os.environ | {"PYTHONPATH": str(packages)}
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, check=True, capture_output=True
    ).stdout.decode()
    assert release != ROOT
    assert all(line.startswith(str(packages)) for line in printed.splitlines()), printed


def test_the_last_release_works_on_this_schema(old_stack: OldStack, engine: Engine) -> None:
    """Messages, reads, recalls, broadcasts and pushes of old processes work after the migration."""
    with engine.begin() as connection:
        add_people(connection, (1, 2, 3))
        vault = Vault(load(VaultSettings, old_stack.environ))
        new = NewApp("oa", "OA系统", "https://oa.example.com/cb", ())
        _, secret = apps.add(connection, new, vault=vault)

    def call(who: dict[str, str], method: str, path: str, **more: Any) -> httpx.Response:
        url = f"{old_stack.api}/api/v1{path}"
        headers = who | more.pop("headers", {})
        answer = httpx.request(method, url, headers=headers, timeout=PATIENCE, **more)
        assert answer.is_success, (method, path, answer.text, old_stack.logs())
        return answer

    first, second = (bearer(old_stack.environ, user_id) for user_id in (1, 2))
    app = as_app("oa", secret)
    with connect(old_stack.socket_url, additional_headers=second) as socket:
        waits = {"Prefer": "wait=10", "Idempotency-Key": "one"}
        sent = call(first, "POST", "/messages/", json=PRIVATE, headers=waits)
        assert "wait" in sent.headers["Preference-Applied"]
        again = call(first, "POST", "/messages/", json=PRIVATE, headers=waits)
        assert again.json() == sent.json()
        assert f'"id":{sent.json()["id"]}' in socket.recv(timeout=PATIENCE)
    assert call(second, "GET", "/messages/history/1").json() == [sent.json()]
    assert call(second, "PUT", "/messages/conversations/1/read").json() == {"updated_count": 1}
    call(first, "DELETE", f"/messages/{sent.json()['id']}")
    assert call(second, "GET", "/messages/history/1").json() == []
    notice = call(app, "POST", "/messages/", json=NOTICE).json()
    report = f"/broadcasts/{notice['id']}"
    assert wait_until(lambda: call(app, "GET", report).json()["status"] == "DONE", seconds=PATIENCE)
    assert call(app, "GET", report).json()["total"] == 3
    assert "Traceback" not in old_stack.logs()
