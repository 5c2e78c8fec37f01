"""Checks of apps' endpoints: whether they are called, and which of them fail."""

from collections.abc import Iterator

from ops.doctor.findings import Finding, Level, Site
from storage.model.app_event import CallbackStatus
from storage.postgres.app_events.endpoint_lines import EndpointLine, list_endpoints
from storage.postgres.app_events.pushing import measure_endpoints
from storage.postgres.database import BlockingDatabase
from storage.settings import DatabaseSettings, load

LATE_SECONDS = 60.0
SHOWN = 10
START = "celery -A workers.callbacks_app worker -Q callbacks"


def check_endpoints(site: Site) -> Iterator[Finding]:
    """Whether somebody calls apps' endpoints, and which are stopped or fail. Where no app asked for calls nothing is found."""
    record = BlockingDatabase(
        load(DatabaseSettings, site.variables), application_name="carillon doctor"
    )
    try:
        state = record.transaction(measure_endpoints)
        called = [one for one in record.transaction(list_endpoints) if one.url and one.is_active]
    finally:
        record.close()
    if state.overdue_seconds > LATE_SECONDS:
        text = f"An endpoint could have been called {state.overdue_seconds:,.0f} s ago, and nobody did."
        yield Finding("callbacks", Level.FAIL, text, START, because=("broker", "workers", "sweep"))
    trouble = [one for one in called if one.failures or one.status is not CallbackStatus.ACTIVE]
    for one in trouble[:SHOWN]:
        yield _describe(one)
    if called and not trouble and state.overdue_seconds <= LATE_SECONDS:
        yield Finding("callbacks", Level.OK, f"{len(called):,} endpoints take what they are told.")


def _describe(one: EndpointLine) -> Finding:
    state = "fails" if one.status is CallbackStatus.ACTIVE else f"is {one.status}"
    text = f"The endpoint of {one.app_id} {state}; {one.waiting:,} events wait: {one.last_error}"
    mend = f"Have the app's people mend it, then: carillon callbacks resume {one.app_id}"
    return Finding("callbacks", Level.WARN, text, mend)
