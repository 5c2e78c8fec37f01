"""What the callbacks worker holds open: PostgreSQL, the key that opens apps' secrets, and its client for their endpoints.

It has no bus and no media store, and is not told their secrets (docs/decisions/0043-calls-of-endpoints.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from storage.keys.vault import Vault, VaultSettings
from storage.postgres import session_limits
from storage.postgres.database import BlockingDatabase
from storage.process.metrics_export import join_shared_folder
from storage.settings import DatabaseSettings, DisplaySettings, load
from workers.callbacks.endpoint_client import EndpointClient
from workers.callbacks.metrics import CallbackMetrics
from workers.callbacks.settings import CallbackSettings

# All settings that calls of endpoints need.
SETTINGS = (CallbackSettings, DatabaseSettings, VaultSettings, DisplaySettings)
# What is left of a lease when a call took all of its time, to note what came of it.
_LEASE_BEYOND_CALL = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class CallbackServices:
    """What a call may use."""

    settings: CallbackSettings
    database: BlockingDatabase
    vault: Vault
    zone: tzinfo
    client: EndpointClient
    metrics: CallbackMetrics

    @property
    def lease(self) -> timedelta:
        """For how long an endpoint is in hand after each mark: longer than a call may take."""
        return self.settings.answer + _LEASE_BEYOND_CALL

    def close(self) -> None:
        """Close every connection."""
        self.client.close()
        self.database.close()


def open_callback_services(environ: Mapping[str, str]) -> CallbackServices:
    """Make everything from the settings in `environ`; connections are made when they are first used.

    Raises InvalidSettings.
    """
    join_shared_folder()
    settings = load(CallbackSettings, environ)
    return CallbackServices(
        settings=settings,
        database=BlockingDatabase(
            load(DatabaseSettings, environ),
            application_name="carillon callbacks",
            limits=session_limits.WORKER,
        ),
        vault=Vault(load(VaultSettings, environ)),
        zone=load(DisplaySettings, environ).time_zone,
        client=EndpointClient(
            allowed=settings.allowed,
            seconds=settings.answer.total_seconds(),
            most_calls=settings.calls,
        ),
        metrics=CallbackMetrics(),
    )
