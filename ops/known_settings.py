"""Every setting there is: for `carillon settings`, for the check before a start, and for `docs/settings.md`."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from datetime import timedelta
from typing import Any

from ingest.settings import InboxSettings, IngestSettings
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
    list_fields,
)
from storage.valkey.bus_streams import BusSettings
from storage.valkey.rate_limits import LimitSettings
from storage.valkey.tickets import TicketSettings
from workers.callbacks.settings import CallbackSettings
from workers.settings import WorkerSettings

SETTINGS_CLASSES = (
    UpSettings,
    DataFolder,
    DatabaseSettings,
    ValkeySettings,
    QueueSettings,
    TokenSettings,
    VaultSettings,
    IngestSettings,
    InboxSettings,
    LimitSettings,
    TicketSettings,
    MediaSettings,
    OriginSettings,
    DisplaySettings,
    LogSettings,
    WorkerSettings,
    CallbackSettings,
    BusSettings,
    PushSettings,
)


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """One environment variable: its default as text ("" if it has none, "required" if it must be set) and what it does."""

    name: str
    default: str
    text: str
    is_secret: bool


def list_settings() -> Iterator[KnownSetting]:
    """Every variable, each once, in the order of SETTINGS_CLASSES and their fields."""
    names: set[str] = set()
    for kind in SETTINGS_CLASSES:
        for setting in list_settings_of(kind):
            if setting.name not in names:
                names.add(setting.name)
                yield setting


def list_settings_of(kind: type[Any]) -> Iterator[KnownSetting]:
    """The variables of one settings class, in the order of its fields."""
    for item in list_fields(kind):
        about = item.metadata
        yield KnownSetting(
            about["name"], _show_default(item.default), about["help"], about["secret"]
        )


def _show_default(default: Any) -> str:
    if default is MISSING:
        return "required"
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, timedelta):
        return f"{default.total_seconds():.15g}"
    if isinstance(default, tuple):
        return ",".join(default)
    return "" if default is None else str(default)
