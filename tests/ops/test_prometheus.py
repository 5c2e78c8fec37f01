"""Alerts, their tests, the runbook and the page of metrics agree with one another and with the code."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from ingest.metrics import IngestMetrics
from push_gateway.metrics import GatewayMetrics
from storage.model.message import MessageType
from tests.builders import a_send
from tests.ops.compose import ROOT, document
from workers.callbacks.metrics import CallbackMetrics
from workers.metrics import WorkerMetrics

FOLDER = ROOT / "ops/prometheus"
NAME = re.compile(r"\bcarillon_[a-z_]+")
MAIL = {
    "ALERT_MAIL_TO": "operators@example.com",
    "ALERT_MAIL_FROM": "carillon@example.com",
    "ALERT_SMTP_HOST": "mail.example.com:587",
    "ALERT_SMTP_USER": "carillon",
    "ALERT_SMTP_PASSWORD": 'it\'s: # "secret" {{ }}',
}
PARTS = ("_bucket", "_count", "_sum")

pytestmark = pytest.mark.quick


def metrics() -> set[str]:
    """The names that the code has, as Prometheus shows them (a histogram without its parts)."""
    registry = CollectorRegistry()
    GatewayMetrics(registry)
    of_workers, of_callbacks = WorkerMetrics().registry, CallbackMetrics().registry
    exposed = text_string_to_metric_families(IngestMetrics().export().decode())
    found = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in (
            *exposed,
            *registry.collect(),
            *of_workers.collect(),
            *of_callbacks.collect(),
        )
    }
    return {name for name in found if re.fullmatch(r"carillon_\w+(?<!_created)", name)}


def rules() -> list[dict[str, Any]]:
    """Every rule."""
    groups = yaml.safe_load((FOLDER / "carillon.rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def whole(name: str) -> str:
    """A histogram's name without its part."""
    return next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)


def test_every_metric_is_on_the_page_and_every_line_of_the_page_is_a_metric() -> None:
    """`docs/operations/metrics.md` lists exactly what the code has."""
    text = (ROOT / "docs/operations/metrics.md").read_text()
    listed = set(re.findall(r"^\| `(carillon_\w+)`", text, re.MULTILINE))
    assert listed == metrics()


def test_rules_and_dashboard_use_metrics_that_exist() -> None:
    """A renamed metric cannot leave a dead alert or an empty panel behind."""
    texts = [rule["expr"] for rule in rules()] + expressions()
    used = {whole(name) for text in texts for name in NAME.findall(text)}
    assert len(used) > 15
    assert used <= metrics()
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = {name for text in texts for name in re.findall(r"carillon:\w+", text)}
    assert named <= recorded


def test_every_alert_is_tried_and_explained() -> None:
    """A unit test in which it fires, one in which it does not, and its entry in the runbook."""
    tests = yaml.safe_load((FOLDER / "carillon.test.yml").read_text())["tests"]
    tried = {
        (case["alertname"], bool(case["exp_alerts"]))
        for test in tests
        for case in test["alert_rule_test"]
    }
    assert tried == {(name, fires) for name in alerts() for fires in (True, False)}
    runbook = (ROOT / "docs/operations/runbook.md").read_text()
    entries = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)
    assert entries == list(alerts())
    for name, alert in alerts().items():
        assert alert["annotations"]["runbook"] == f"docs/operations/runbook.md#{name.lower()}"
        entry = runbook.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert all(word in entry for word in ("**Means:**", "**Look:**", "**Do:**")), name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "carillon.rules.yml"),
        ("test", "rules", "carillon.test.yml"),
    ],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    """Prometheus' own tool checks the configuration and the rules, and runs the alerts' tests."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_scraped_is_what_compose_runs() -> None:
    """The names and ports of the scrape configuration are services of the file."""
    configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    services = document()["services"]
    [told] = configuration["alerting"]["alertmanagers"]
    *jobs, watcher = configuration["scrape_configs"]
    assert watcher["static_configs"] == told["static_configs"]
    assert told["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    assert "127.0.0.1:9093:9093" in services["alertmanager"]["ports"]
    for job in jobs:
        [where] = job["dns_sd_configs"]
        for name in where["names"]:
            port = services[name]["environment"].get("CARILLON_WORKER_METRICS_PORT")
            by_command = f"--port {where['port']}" in services[name]["command"]
            assert by_command or port == str(where["port"]), name


@pytest.mark.skipif(shutil.which("amtool") is None, reason="needs amtool")
@pytest.mark.parametrize(
    ("variables", "receivers"),
    [
        ({}, []),
        ({"ALERT_WEBHOOK_URL": "https://chat.example.com/x?a=1&b='#"}, ["webhook_configs"]),
        (MAIL, ["email_configs"]),
        (MAIL | {"ALERT_WEBHOOK_URL": "http://hook/"}, ["webhook_configs", "email_configs"]),
    ],
)
def test_alertmanager_tells_whom_the_variables_name(
    tmp_path: Path, variables: dict[str, str], receivers: list[str]
) -> None:
    """What the script writes is what Alertmanager's own tool takes, whatever characters a variable has, and is secret."""
    file = tmp_path / "alertmanager.yml"
    done = _configure_alerts(file, variables)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    [receiver] = yaml.safe_load(file.read_text())["receivers"]
    assert [name for name in receiver if name != "name"] == receivers
    for kind, name in (("webhook_configs", "url"), ("email_configs", "auth_password")):
        for one in receiver.get(kind, []):
            assert one[name] in variables.values()
    checked = subprocess.run(["amtool", "check-config", file], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stdout


def test_mail_without_a_server_is_refused(tmp_path: Path) -> None:
    """An address without a mail server ends the container with a sentence, and not in alerts that nobody gets."""
    done = _configure_alerts(tmp_path / "alertmanager.yml", {"ALERT_MAIL_TO": "a@example.com"})
    assert done.returncode == 1
    assert "ALERT_SMTP_HOST" in done.stderr


def _configure_alerts(file: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", FOLDER / "alertmanager.sh", "true"],
        env={"PATH": "/usr/bin:/bin", "ALERT_CONFIGURATION": str(file)} | variables,
        check=False,
        capture_output=True,
        text=True,
    )


def expressions() -> list[str]:
    """What the dashboard asks Prometheus."""
    text = (ROOT / "ops/grafana/dashboards/carillon.json").read_text()
    panels = json.loads(text)["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def test_accepted_sends_are_told_by_app_and_kind() -> None:
    """People's sends under `-`; a broadcast is a kind of its own."""
    metrics = IngestMetrics()
    metrics.count_accepted([a_send(), a_send(), a_send(is_broadcast=True, sent_by_app_id=7)])
    text = metrics.export().decode()
    kind = MessageType.MESSAGE.value
    assert f'carillon_accepted_sends_total{{app="-",kind="{kind}"}} 2.0' in text
    assert 'carillon_accepted_sends_total{app="7",kind="BROADCAST"} 1.0' in text
