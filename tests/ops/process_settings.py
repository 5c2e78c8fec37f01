"""What each process reads: what a container or a pod may be given, and what it has to be given."""

from collections.abc import Mapping
from typing import Any

import ingest.services
import push_gateway.settings
import workers.callbacks.services
import workers.services
from ops.known_settings import list_settings_of
from storage.broker.queues import QueueSettings
from storage.process.logs import LogSettings
from storage.settings import DatabaseSettings, check
from workers.settings import WorkerSettings

OF_PROCESS: Mapping[str, tuple[type[Any], ...]] = {
    "ingest": (*ingest.services.SETTINGS, LogSettings),
    "gateway": (*push_gateway.settings.SETTINGS, LogSettings),
    "worker": (*workers.services.SETTINGS, LogSettings),
    # `workers/callbacks_app.py` and `workers/beat_app.py`, cannot be imported: they act at import.
    "worker-callbacks": (
        *workers.callbacks.services.SETTINGS,
        WorkerSettings,
        QueueSettings,
        LogSettings,
    ),
    "beat": (QueueSettings, LogSettings),
    "migrate": (DatabaseSettings, LogSettings),
    "roles": (DatabaseSettings, LogSettings),
}
# Read by the libraries: uvicorn, OpenTelemetry, prometheus-client, Python.
_FOREIGN = {
    "FORWARDED_ALLOW_IPS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "PROMETHEUS_MULTIPROC_DIR",
    "PYTHONUNBUFFERED",
}
# Read where classes of settings do not say so.
_MORE = {
    "ingest": {"CARILLON_PUBLIC_URL"},  # the operator's command in that container
    "roles": {"CARILLON_DATABASE_ADMIN_URL"},
}
OWNERS = {"CARILLON_DATABASE_OWNER_URL", "CARILLON_DATABASE_ADMIN_URL"}


def find_process(name: str) -> str:
    """The kind of process that a service or a deployment of this name runs."""
    if name in OF_PROCESS:
        return name
    return "worker" if name.startswith("worker-") else name


def check_environment(name: str, environ: Mapping[str, str]) -> None:
    """Fail if the process lacks a variable that it needs, or is given one that it does not read."""
    process = find_process(name)
    kinds = OF_PROCESS[process]
    check(kinds, environ)
    read = {setting.name for kind in kinds for setting in list_settings_of(kind)}
    read |= _FOREIGN | _MORE.get(process, set())
    if process not in {"roles", "migrate"}:
        read -= OWNERS
    assert environ.keys() <= read, (name, sorted(environ.keys() - read))
