"""The page `docs/settings.md`, made from the settings classes; `make docs` writes it, a test compares it.

It knows which processes read which class, and in what order a reader wants the classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.settings import InboxSettings, IngestSettings
from ops.known_settings import KnownSetting, list_settings_of
from ops.local.settings import UpSettings
from push_gateway.settings import PushSettings
from storage.broker.queues import QueueSettings
from storage.keys.tokens import TokenSettings
from storage.keys.vault import VaultSettings
from storage.media.store import MediaSettings
from storage.process.logs import LogSettings
from storage.settings import (
    DatabaseSettings,
    DataFolder,
    DisplaySettings,
    OriginSettings,
    ValkeySettings,
)
from storage.valkey.bus_streams import BusSettings
from storage.valkey.rate_limits import LimitSettings
from storage.valkey.tickets import TicketSettings
from workers.callbacks.settings import CallbackSettings
from workers.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page: settings that belong together, and the processes that read them."""

    title: str
    readers: str
    kinds: tuple[type[Any], ...]


SECTIONS = (
    Section("`carillon up` and `make run`", "`carillon` only", (UpSettings, DataFolder)),
    Section("PostgreSQL", "ingest, workers, the callbacks worker, `carillon`", (DatabaseSettings,)),
    Section("Valkey", "ingest, workers, the push gateway, `carillon`", (ValkeySettings,)),
    Section("The broker", "ingest, workers, beat", (QueueSettings,)),
    Section("Who is calling: tokens", "ingest, the push gateway", (TokenSettings,)),
    Section(
        "Who is calling: app secrets", "ingest, the callbacks worker, `carillon`", (VaultSettings,)
    ),
    Section("Ingest", "ingest", (IngestSettings,)),
    Section("The inbox", "ingest", (InboxSettings,)),
    Section("Limits for callers", "ingest", (LimitSettings,)),
    Section("Tickets", "ingest, the push gateway", (TicketSettings,)),
    Section("Media", "ingest, workers", (MediaSettings,)),
    Section("Pages of other origins", "ingest, the push gateway", (OriginSettings,)),
    Section(
        "How times are shown", "ingest, the push gateway, the callbacks worker", (DisplaySettings,)
    ),
    Section("Logs", "every process", (LogSettings,)),
    Section("Workers", "workers, beat", (WorkerSettings,)),
    Section("Calls of apps' endpoints", "the callbacks worker, `carillon`", (CallbackSettings,)),
    Section("The bus", "ingest, workers, the push gateway", (BusSettings,)),
    Section("The push gateway", "the push gateway", (PushSettings,)),
)

HEAD = """\
# Settings

<!-- Made from the code by `make docs`. Do not edit by hand: a test compares the two. -->

Every setting is an environment variable. An empty value counts as not set. Durations are in seconds.
A process names every variable that is missing or malformed, and does not start.
`carillon settings` shows the values in force, without secrets.

`make run` chooses a value for each required setting and keeps it in its data folder.
"""

FOOT = """\
## Variables of others

| variable | read by | what it does here |
|---|---|---|
| `FORWARDED_ALLOW_IPS` | uvicorn (ingest, the push gateway) | The proxies in front, as `CARILLON_TRUSTED_PROXIES` for `carillon up`. |
| `PROMETHEUS_MULTIPROC_DIR` | prometheus-client | An empty folder in which the processes of one pool share their metrics. |
| `OTEL_EXPORTER_OTLP_ENDPOINT` | OpenTelemetry | Where traces go. Not set: there are none. Its other `OTEL_` variables work too. |
"""


def render_settings_page() -> str:
    """The whole page `docs/settings.md`, as Markdown."""
    return "\n".join((HEAD, *(_render_section(section) for section in SECTIONS), FOOT))


def _render_section(section: Section) -> str:
    rows = "\n".join(_render_rows(section))
    return (
        f"## {section.title}\n\nRead by: {section.readers}.\n\n"
        f"| variable | default | meaning |\n|---|---|---|\n{rows}\n"
    )


def _render_rows(section: Section) -> Iterator[str]:
    for kind in section.kinds:
        for setting in list_settings_of(kind):
            yield f"| `{setting.name}` | {_render_default(setting)} | {setting.text} |"


def _render_default(setting: KnownSetting) -> str:
    return setting.default if setting.default in {"", "required"} else f"`{setting.default}`"
