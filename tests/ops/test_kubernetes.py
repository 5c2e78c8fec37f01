"""ops/kubernetes, as it is and as kustomize makes it: valid, and the commands of docker-compose.yml."""

import json
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from sqlalchemy import Engine, text

from ops.known_settings import list_settings
from tests.builders import add_people
from tests.ops.compose import ROOT, of_carillon
from tests.ops.process_settings import check_environment
from tests.storage.postgres.broadcasts.steps import plan_all

BASE = ROOT / "ops/kubernetes/base"
EXAMPLE = ROOT / "ops/kubernetes/overlays/example"
VERSION = "1.33"
KEDA = "keda.sh/v1alpha1"

pytestmark = pytest.mark.quick


def manifests() -> list[dict[str, Any]]:
    """Every object of the base, but the kustomization itself."""
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"} == set(listed)
    return [one for name in listed for one in yaml.safe_load_all((BASE / name).read_text())]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """The pod specifications of all that runs our image."""
    running = of_kind("Deployment") | of_kind("Job")
    return {name: one["spec"]["template"]["spec"] for name, one in running.items()}


def test_the_ingress_shows_what_clients_need_and_nothing_else() -> None:
    """Console, documents, metrics and readiness have no way in from the world."""
    [rule] = of_kind("Ingress")["carillon"]["spec"]["rules"]
    shown = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert shown == {"/api/v1/ws/": "gateway", "/api/v1/": "ingest", "/inbox": "ingest"}


def kustomize(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl apply -k` of a folder would send."""
    command = shutil.which("kubectl")
    if command is None:
        pytest.skip("There is no kubectl.")
    asked = [command, "version", "--client", "--output=json"]
    version = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    if "kustomizeVersion" not in version:  # before 1.24, with a kustomize of 2019
        pytest.skip("This kubectl is too old.")
    built = subprocess.run(
        [command, "kustomize", str(folder)], check=False, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def validate(manifest: dict[str, Any]) -> None:
    """Fails for what the API server would refuse, or ignore: a field that it does not know."""
    if manifest["apiVersion"] != KEDA:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
        return
    kind: type[keda.ScaledObject | keda.TriggerAuthentication] = getattr(keda, manifest["kind"])
    understood = kind.model_validate(manifest)
    assert understood.model_dump(mode="json", by_alias=True, exclude_unset=True) == manifest


def test_every_manifest_is_valid() -> None:
    """By the schemas that Kubernetes and KEDA publish, without an unknown field."""
    assert len(manifests()) > 15
    for manifest in manifests():
        validate(manifest)


@pytest.mark.parametrize("kind", ["ScaledObject", "TriggerAuthentication", "Deployment"])
def test_an_unknown_field_would_be_seen(kind: str) -> None:
    """The check above can fail, for each family of schemas."""
    [manifest, *_] = of_kind(kind).values()
    manifest["spec"]["nonsense"] = 1
    with pytest.raises((AssertionError, kubernetes_validate.ValidationError)):
        validate(manifest)


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=lambda folder: folder.name)
def test_kustomize_makes_valid_manifests_of_all(folder: Path) -> None:
    """Every object of the base, in one namespace, with the settings that are made for it."""
    built = kustomize(folder)
    for manifest in built:
        validate(manifest)
    maps = [one["metadata"]["name"] for one in built if one["kind"] == "ConfigMap"]
    names = sorted((one["kind"], one["metadata"]["name"]) for one in built)
    theirs = [(one["kind"], one["metadata"]["name"]) for one in manifests()]
    assert names == sorted([*theirs, *(("ConfigMap", name) for name in maps)])
    for one in built:
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "carillon"
        for container in containers(one):
            named = [
                ref["configMapRef"]["name"] for ref in container["envFrom"] if "configMapRef" in ref
            ]
            assert named, one["metadata"]
            assert set(named) <= set(maps), one["metadata"]


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=lambda folder: folder.name)
def test_every_pod_is_given_what_it_reads_and_nothing_else(folder: Path) -> None:
    """The maps and secrets of a pod hold every variable that its process needs, and none that it does not read."""
    built = kustomize(folder)
    held = {
        (kind, one["metadata"]["name"]): one.get("data") or one["stringData"]
        for kind, objects in (
            ("configMapRef", [one for one in built if one["kind"] == "ConfigMap"]),
            ("secretRef", new_secrets()),
        )
        for one in objects
    }
    for one in built:
        for container in containers(one):
            assert one["spec"]["template"]["spec"]["enableServiceLinks"] is False
            given = {each["name"]: read_value(each, held) for each in container.get("env", [])}
            for reference in container["envFrom"]:
                [(kind, about)] = reference.items()
                given |= held[kind, about["name"]]
            check_environment(
                container["name"], {name: text for name, text in given.items() if text}
            )


def read_value(variable: dict[str, Any], held: dict[tuple[str, str], dict[str, str]]) -> str:
    """What stands in the manifest, or the one entry of a map or secret that it names."""
    for kind, whole in (("configMapKeyRef", "configMapRef"), ("secretKeyRef", "secretRef")):
        if named := variable.get("valueFrom", {}).get(kind):
            return held[whole, named["name"]][named["key"]]
    return str(variable["value"])


def new_secrets() -> list[dict[str, Any]]:
    """What `ops/kubernetes/new-secrets.sh` makes."""
    variables = {
        "DATABASE_URL": "postgresql://carillon_app:it's@db/carillon",
        "OWNER_URL": "postgresql://carillon_owner:x@db/carillon",
        "VALKEY_URL": "redis://:x@valkey:6379/0",
        "S3_ACCESS_KEY_ID": "key",
        "S3_SECRET_ACCESS_KEY": "secret: # '\"{}",
    }
    script = ROOT / "ops/kubernetes/new-secrets.sh"
    environ = {"PATH": "/usr/bin:/bin"} | variables
    made = subprocess.run(["sh", script], check=True, capture_output=True, text=True, env=environ)
    return list(yaml.safe_load_all(made.stdout))


def test_new_secrets_are_whole_and_valid() -> None:
    """Each secret is valid by its schema, holds what was given character by character, and keys that are made anew each time."""
    first, second = ({one["metadata"]["name"]: one for one in new_secrets()} for _ in range(2))
    for one in first.values():
        validate(one)
        assert one["metadata"]["namespace"] == "carillon"
    assert first["carillon-database"]["stringData"]["CARILLON_DATABASE_URL"].endswith(
        "it's@db/carillon"
    )
    media = first["carillon-media"]["stringData"]
    assert media["CARILLON_S3_SECRET_ACCESS_KEY"] == "secret: # '\"{}"
    for name in ("carillon-tokens", "carillon-apps"):
        assert first[name] != second[name]


@pytest.mark.parametrize(
    ("folder", "host"), [(BASE, "messages.example.com"), (EXAMPLE, "messages.my-company.example")]
)
def test_the_ingress_is_one_host_by_tls(folder: Path, host: str) -> None:
    """Rules and certificate are of the same host, and plain http leads to https."""
    [ingress] = [one for one in kustomize(folder) if one["kind"] == "Ingress"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == [host]
    [tls] = ingress["spec"]["tls"]
    assert tls == {"hosts": [host], "secretName": "carillon-tls"}
    assert (
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/force-ssl-redirect"]
        == "true"
    )


def test_nobody_talks_to_anybody_but_who_must() -> None:
    """Everything is denied in both directions; each pod is let out to the servers that its process needs, and let in where it serves."""
    policies = of_kind("NetworkPolicy")
    denial = policies.pop("nothing-else")["spec"]
    assert denial == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies.pop("dns")["spec"]["podSelector"] == {}
    let_out: dict[str, set[int]] = {}
    let_in: dict[str, set[int]] = {}
    for policy in policies.values():
        spec = policy["spec"]
        selector = spec["podSelector"]
        apps = selector.get("matchLabels", {}).values() or selector["matchExpressions"][0]["values"]
        for app in apps:
            let_out[app] = {
                port["port"] for rule in spec.get("egress", []) for port in rule["ports"]
            }
            let_in[app] = {
                port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]
            }
    assert let_out.keys() == pods().keys()
    database, valkey, amqp = {5432}, {6379}, {5671, 5672}
    assert let_out["gateway"] == valkey
    assert let_out["beat"] == valkey | amqp
    assert let_out["migrate"] == database
    assert let_out["worker-sends"] == database | valkey | amqp
    assert let_out["worker-callbacks"] == database | valkey | amqp | {443}
    assert let_out["ingest"] == database | valkey | amqp | {443, 8001}
    for name, pod in pods().items():
        [container] = pod["containers"]
        assert let_in[name] == {port["containerPort"] for port in container.get("ports", [])}, name


def test_the_endpoints_of_apps_are_not_in_the_cluster() -> None:
    """The callbacks worker is let out to the Internet, and to no private network: its guard is not alone."""
    rules = of_kind("NetworkPolicy")["callbacks"]["spec"]["egress"]
    [blocks] = [rule["to"] for rule in rules if rule["ports"] == [{"port": 443}]]
    for address in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "fd00::1", "fe80::1"):  # fmt: skip
        assert not any(
            ip_address(address) in ip_network(block["ipBlock"]["cidr"])
            and not any(
                ip_address(address) in ip_network(one) for one in block["ipBlock"]["except"]
            )
            for block in blocks
        ), address


def test_every_pod_that_stays_is_asked_whether_it_lives() -> None:
    """A process that hangs is started again, whatever it is."""
    for name in of_kind("Deployment"):
        [container] = pods()[name]["containers"]
        assert "livenessProbe" in container, name


def test_kustomize_makes_what_the_example_says() -> None:
    """Its image everywhere, its number of gateways, its settings beside those of the base."""
    built = kustomize(EXAMPLE)
    images = {container["image"] for one in built for container in containers(one)}
    assert images == {"my-company/carillon:0.1.0"}
    [gateway] = [one for one in built if one["kind"] == "Deployment" and has_name(one, "gateway")]
    assert gateway["spec"]["replicas"] == 4
    settings = {
        name: text
        for one in built
        if one["kind"] == "ConfigMap"
        for name, text in one["data"].items()
    }
    assert settings["CARILLON_TIME_ZONE"] == "Asia/Shanghai"
    assert settings["CARILLON_LOG_FORMAT"] == "json"


def containers(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of a Deployment or Job; none of anything else."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    found: list[dict[str, Any]] = pod.get("containers", [])
    return found


def has_name(manifest: dict[str, Any], name: str) -> bool:
    """Whether that is its name."""
    return bool(manifest["metadata"]["name"] == name)


def test_the_commands_are_those_that_compose_runs() -> None:
    """Which a test runs for real (`test_deploy.py`). Roles are made by hand: PostgreSQL is not in the manifests."""
    ours = {name: " ".join(pod["containers"][0]["command"]) for name, pod in pods().items()}
    theirs = {name: " ".join(one["command"].split()) for name, one in of_carillon().items()}
    del theirs["roles"]
    assert ours == theirs


def test_the_example_changes_what_is_there() -> None:
    """Every image, number of replicas and variable that the overlay names is one of the base's."""
    example = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())
    base = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    images = {pod["containers"][0]["image"].split(":")[0] for pod in pods().values()}
    assert {one["name"] for one in example["images"]} == {one["name"] for one in base["images"]}
    assert {one["name"] for one in base["images"]} == images
    assert {one["name"] for one in example["replicas"]} <= of_kind("Deployment").keys()
    names = {one["name"] for one in base["configMapGenerator"]}
    assert {one["name"] for one in example["configMapGenerator"]} <= names
    # Uvicorn's own, beside ours.
    settings = {setting.name for setting in list_settings()} | {"FORWARDED_ALLOW_IPS"}
    for document in (example, base):
        for generator in document["configMapGenerator"]:
            assert {literal.partition("=")[0] for literal in generator["literals"]} <= settings


def test_nobody_is_root_and_everything_is_bounded() -> None:
    """No root, no writable root folder, no capabilities; memory and CPU asked for and limited."""
    for name, pod in pods().items():
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"].keys() == {"requests", "limits"}, name


def test_drains_have_their_time() -> None:
    """A pod may take longer than its process is given to drain, and than the pause before that."""
    for name in ("ingest", "gateway"):
        pod = pods()[name]
        command = pod["containers"][0]["command"]
        drain = int(command[command.index("--timeout-graceful-shutdown") + 1])
        pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        assert pod["terminationGracePeriodSeconds"] >= pause + drain + 5


def test_who_serves_is_never_gone_altogether() -> None:
    """A disruption budget, and probes, for everything that comes in several."""
    assert of_kind("PodDisruptionBudget").keys() == {"ingest", "gateway", "worker-sends"}
    for name in ("ingest", "gateway"):
        [container] = pods()[name]["containers"]
        [port] = container["ports"]
        for probe in ("readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == port["containerPort"]
        [exposed] = of_kind("Service")[name]["spec"]["ports"]
        assert exposed["port"] == port["containerPort"]


def test_broadcast_workers_follow_the_age_of_what_waits() -> None:
    """KEDA scales the deployment that exists, by a question that the schema answers."""
    scaled = of_kind("ScaledObject")["worker-broadcasts"]["spec"]
    assert scaled["scaleTargetRef"]["name"] in of_kind("Deployment")
    assert "replicas" not in of_kind("Deployment")["worker-broadcasts"]["spec"]
    [trigger] = scaled["triggers"]
    assert trigger["authenticationRef"]["name"] in of_kind("TriggerAuthentication")


def test_the_scaling_question_is_answered(engine: Engine) -> None:
    """0 while nothing waits; the seconds since the start of a broadcast that has waiting chunks."""
    [trigger] = of_kind("ScaledObject")["worker-broadcasts"]["spec"]["triggers"]
    question = text(trigger["metadata"]["query"])
    with engine.begin() as connection:
        add_people(connection, range(1, 26))
        assert connection.execute(question).scalar_one() == 0
    plan_all(engine)
    with engine.begin() as connection:
        assert connection.execute(question).scalar_one() > 0
