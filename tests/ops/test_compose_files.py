"""The files of Compose: valid, without secrets, confined, and each process with what it reads and nothing else."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
import yaml

from ops.local.embedded.valkey import find_valkey_binary
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from ops.local.stack import prepare_programs
from storage.reachability import Cause, Obstacle
from storage.valkey.obstacles import find_obstacle
from tests import services
from tests.architecture.sources import CLIENT
from tests.ops.compose import ROOT, document, fill_in, of_carillon
from tests.ops.process_settings import check_environment, find_process

SERVERS = ("ingest", "gateway")
SECRET = re.compile(
    r"PASS(WORD)?|SECRET|_KEY(?!_FILE)|_AUTH|ADMIN_URL|OWNER_URL|DATABASE_URL|WEBHOOK"
)


TLS = ROOT / "ops/compose.tls.yml"
# The secrets of services that are not ours.
SECRETS_OF_OTHERS = {
    "postgres": {"POSTGRES_PASSWORD"},
    "valkey": {"VALKEY_PASSWORD", "REDISCLI_AUTH"},
    "rabbitmq": {"RABBITMQ_DEFAULT_PASS"},
    "s3": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
    "alertmanager": {"ALERT_SMTP_PASSWORD", "ALERT_WEBHOOK_URL"},
    "grafana": {"GF_SECURITY_ADMIN_PASSWORD"},
}
# Who talks to whom: nothing else is on these networks.
ON_NETWORK = {
    "front": {"proxy", "ingest", "gateway", "s3", "s3-bucket"},
    "record": {"postgres", "roles", "migrate", "ingest", "worker", "worker-callbacks"},
    "bus": {"valkey", "rabbitmq", "ingest", "gateway", "worker", "worker-callbacks", "beat"},
    "watch": {
        "prometheus",
        "alertmanager",
        "grafana",
        "ingest",
        "gateway",
        "worker",
        "worker-callbacks",
        "beat",
    },
}


@pytest.mark.parametrize("file", [ROOT / "docker-compose.yml", TLS], ids=lambda file: file.name)
def test_it_is_valid_by_the_compose_specification(file: Path) -> None:
    """The published schema has nothing to say against a file."""
    schema = (files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text()
    jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(schema))


def test_no_secret_is_in_it() -> None:
    """What is a secret comes from the environment, in the file with TLS too."""
    found = [
        (name, str(value))
        for service in (
            *document()["services"].values(),
            *yaml.safe_load(TLS.read_text())["services"].values(),
        )
        for name, value in service.get("environment", {}).items()
        if SECRET.search(name)
    ]
    assert len(found) > 10
    assert [one for one in found if "${" not in one[1]] == []


def test_every_process_is_given_what_it_reads_and_nothing_else(values: dict[str, str]) -> None:
    """A service of ours has every variable that its process needs, and none, secrets above all, that it does not read."""
    for name, service in of_carillon().items():
        given = {one: fill_in(str(text), values) for one, text in service["environment"].items()}
        check_environment(name, given)
    gateway = of_carillon()["gateway"]["environment"]
    assert not any("DATABASE" in name or "S3" in name or "SECRETS_KEY" in name for name in gateway)


def test_nobody_signs_in_without_a_password_in_a_deployment() -> None:
    """The demo's sign-in stands in no file of a deployment: one cannot even be asked for it by `.env`."""
    files = [ROOT / "docker-compose.yml", TLS, ROOT / "ops/new-env.sh"]
    files += (ROOT / "ops/kubernetes").rglob("*.*")
    assert len(files) > 10
    assert [file for file in files if "INBOX_DEMO" in file.read_text()] == []


def test_others_are_given_their_own_secrets_only() -> None:
    """A service of others has its own password, and nobody else's."""
    for name, service in document()["services"].items():
        if name not in of_carillon():
            secret = {one for one in service.get("environment", {}) if SECRET.search(one)}
            assert secret == SECRETS_OF_OTHERS.get(name, set()), name


def test_every_service_is_bounded_and_comes_back() -> None:
    """Memory, CPU and processes have limits; what dies is started again; who serves is asked how it is."""
    for name, service in document()["services"].items():
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert "healthcheck" in service or service["restart"] == "on-failure", name
        assert service["logging"]["options"], name


def test_every_service_is_confined() -> None:
    """No service writes to its root folder, has a capability, or can become more than it is; one needs one to be run at all."""
    for name, service in document()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in service["tmpfs"], name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
        assert not service.get("privileged"), name
        for volume in service.get("volumes", []):
            source, _, rest = volume.partition(":")
            assert not source.startswith((".", "/")) or rest.endswith(":ro"), (name, volume)


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    """Every other port is this machine's own; record and bus reach nothing outside, and have nobody on them who need not be."""
    composed = document()
    for name, service in composed["services"].items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), name
    assert {name for name, one in composed["networks"].items() if one} == {"record", "bus"}
    assert composed["networks"]["record"] == composed["networks"]["bus"] == {"internal": True}
    found: dict[str, set[str]] = {name: set() for name in composed["networks"]}
    for name, service in composed["services"].items():
        for network in service["networks"]:
            found[network].add(find_process(name))
    assert found == ON_NETWORK


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
    for package in ("ingest", "workers", "push_gateway", "storage", "ops", CLIENT):
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
    assert "run ops" not in fill_in(text.partition("x-logs")[2], values)
    with pytest.raises(KeyError, match="POSTGRES_APP_PASSWORD"):
        fill_in(text, {})


def test_valkey_takes_nobody_without_the_password(values: dict[str, str], tmp_path: Path) -> None:
    """The command of the file starts a Valkey that asks for the password of .env, and shows it in no command line."""
    service = document()["services"]["valkey"]
    port = find_free_port()
    script = service["command"][2].replace("$$", "$")
    script = script.replace(
        "valkey-server -", f"{find_valkey_binary()} - --port {port} --dir {tmp_path}"
    )
    given = {name: fill_in(text, values) for name, text in service["environment"].items()}
    server = subprocess.Popen(
        [*service["command"][:2], script], env=given, stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        url = of_carillon()["gateway"]["environment"]["CARILLON_VALKEY_URL"]
        here = fill_in(url, values).replace("@valkey:6379", f"@127.0.0.1:{port}")
        found = partial(find_obstacle, name="x", seconds=2)
        assert wait_until(lambda: found(here) is None, seconds=20)
        stranger = f"redis://127.0.0.1:{port}/0"
        refused = partial(_is_refused, partial(found, stranger))
        assert wait_until(refused, seconds=20)
        words = Path(f"/proc/{server.pid}/cmdline").read_text()
        assert "valkey-server" in words
        assert values["VALKEY_PASSWORD"] not in words
    finally:
        server.kill()
        server.wait()


def _is_refused(find: Callable[[], Obstacle | None]) -> bool:
    obstacle = find()
    return obstacle is not None and obstacle.cause is Cause.NO_PASSWORD
