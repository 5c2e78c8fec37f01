"""Checks of PostgreSQL: the server, and what the record says about the work of all processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ops.doctor.clock_checks import SKEW_WARNING_SECONDS
from ops.doctor.findings import Blocked, Finding, Level, Site
from ops.doctor.remedies import POSTGRES, block
from storage import health
from storage.keys.vault import Vault, VaultSettings
from storage.model.errors import PermanentError
from storage.postgres import obstacles, pauses, periodic_jobs, schema
from storage.postgres.broadcasts import failures
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps
from storage.postgres.personal_data import erasures
from storage.postgres.schema import SchemaState
from storage.postgres.sends import backlog, held_sends
from storage.settings import DatabaseSettings, load

OLDEST_POSTGRESQL = 170000
MONTHS_AHEAD = 1
CONNECTIONS_LEFT = 10
LATE_SECONDS = 30.0
# Longer than any lock of ours is held, and than sessions of ours may wait for one.
LOCK_WAIT = timedelta(seconds=3)
OLD_TRANSACTION_SECONDS = 600.0
SWEEP_LATE_SECONDS = 10.0
SHOWN_BROADCASTS = 10
ERASURE_LATE = timedelta(hours=6)
CONNECT_SECONDS = 2.0
START_SWEEPING = "Start beat (celery -A workers.beat_app beat), and a worker of `upkeep`."


@contextmanager
def _open_database(site: Site) -> Iterator[BlockingDatabase]:
    settings = load(DatabaseSettings, site.variables)
    record = BlockingDatabase(settings, application_name="carillon doctor")
    try:
        yield record
    finally:
        record.close()


def check_database(site: Site) -> Iterator[Finding]:
    """Whether PostgreSQL lets us in, is new enough and durable, and has connections left."""
    settings = load(DatabaseSettings, site.variables)
    if obstacle := obstacles.find_obstacle(settings.url, seconds=CONNECT_SECONDS):
        raise block(POSTGRES, obstacle)
    with _open_database(site) as record:
        found = record.transaction(health.examine_postgres)
    number = f"PostgreSQL {found.version // 10000}.{found.version % 10000}"
    if found.version < OLDEST_POSTGRESQL:
        mend = "Carillon needs 17 or newer: pg_upgrade."
        yield Finding("database", Level.FAIL, f"{number} is too old.", mend)
    elif not found.is_durable:
        mend = "Set fsync, full_page_writes and synchronous_commit to on."
        yield Finding("database", Level.FAIL, f"{number} may lose commits in a power cut.", mend)
    elif found.connections_left < CONNECTIONS_LEFT:
        mend = "Raise max_connections, or lower CARILLON_DATABASE_POOL_SIZE."
        text = f"{number} takes {found.connections_left} more sessions."
        yield Finding("database", Level.WARN, text, mend)
    else:
        yield Finding("database", Level.OK, number)


def check_sessions(site: Site) -> Iterator[Finding]:
    """Whether a session holds others up or has a transaction that is too old, and whether we are a superuser."""
    with _open_database(site) as record:
        found = record.transaction(health.examine_sessions, wait=LOCK_WAIT)
    for one in found.holding:
        text = f"{one.waiting} wait for {one.name} (pid {one.pid}), whose transaction is {one.seconds:.0f} s old."
        mend = f"If it does not end by itself: SELECT pg_terminate_backend({one.pid})."
        yield Finding("sessions", Level.FAIL, text, mend)
    if found.oldest_seconds > OLD_TRANSACTION_SECONDS:
        text = (
            f"A transaction of {found.oldest_name} is {found.oldest_seconds / 60:.0f} minutes old."
        )
        mend = "It keeps PostgreSQL from vacuuming: a dump, or a session that was forgotten?"
        yield Finding("sessions", Level.WARN, text, mend)
    elif not found.holding:
        yield Finding("sessions", Level.OK, "Nobody holds others up.")
    if found.is_superuser:
        text = "CARILLON_DATABASE_URL signs in as a superuser of PostgreSQL."
        yield Finding(
            "roles", Level.WARN, text, "carillon db roles (docs/operations/deploy.md, Roles)."
        )


_SCHEMA = {
    SchemaState.EMPTY: ("The database has no tables yet.", "carillon db upgrade"),
    SchemaState.BEHIND: (
        "The schema is older than this version: migrations are missing.",
        "carillon db upgrade",
    ),
    SchemaState.AHEAD: (
        "The schema is newer than this command: a later version has migrated it. Processes of this one work on it.",
        "After a roll-back that is as it should be (docs/operations/upgrade.md); else use the carillon of that version.",
    ),
}


def check_schema(site: Site) -> Iterator[Finding]:
    """Whether the schema is that of this version, and whether next month has its partitions."""
    with _open_database(site) as record:
        state = record.transaction(schema.compare_migrations)
        ahead = record.transaction(health.examine_postgres).months_ahead
    if state in {SchemaState.EMPTY, SchemaState.BEHIND}:
        yield Finding("schema", Level.FAIL, *_SCHEMA[state])
        return
    if state is SchemaState.AHEAD:
        yield Finding("schema", Level.WARN, *_SCHEMA[state])
    else:
        yield Finding("schema", Level.OK, "The schema is that of this version.")
    if ahead < MONTHS_AHEAD:
        text = "Next month has no partitions: sends would fail then."
        mend = "carillon db upgrade; then see why the upkeep worker does not make them."
        yield Finding("partitions", Level.FAIL, text, mend)
    else:
        yield Finding("partitions", Level.OK, f"{ahead} months ahead.")


def check_secrets(site: Site) -> Iterator[Finding]:
    """Whether the key in the settings opens the secrets of every app."""
    vault = Vault(load(VaultSettings, site.variables))
    with _open_database(site) as record:
        known = record.transaction(apps.list_all)
        for app in known:
            try:
                record.transaction(apps.find_secrets, app.id, vault=vault)
            except PermanentError as error:
                mend = "Is CARILLON_SECRETS_KEY the one that the apps were added under?"
                raise Blocked(f"The secrets of {app.app_id}: {error.detail}", mend) from error
    yield Finding("secrets", Level.OK, f"The key opens the secrets of {len(known)} apps.")


def check_backlog(site: Site) -> Iterator[Finding]:
    """Whether accepted sends wait too long, and what failed, is set aside, or was miscounted."""
    with _open_database(site) as record:
        found = record.transaction(backlog.measure_backlog)
    late = found.oldest_seconds > LATE_SECONDS
    if found.ids_ahead_seconds > SKEW_WARNING_SECONDS:
        text = (
            f"PostgreSQL's clock is {found.ids_ahead_seconds:,.0f} s behind the newest message id."
        )
        yield Finding("ids", Level.WARN, text, "It was set back: see that it is kept (chrony).")
    text = f"{found.waiting:,} wait, the oldest for {found.oldest_seconds:.0f} s."
    mend = "Is a worker of `sends` up? Its log says what holds it."
    late = late and not found.are_sends_paused  # then `check_pauses` says so
    if late:
        yield Finding("backlog", Level.FAIL, text, mend, because=("broker", "workers"))
    else:
        yield Finding("backlog", Level.OK, text)
    if found.failed:
        text = f"{found.failed:,} sends failed five times."
        yield Finding("failed sends", Level.WARN, text, "carillon failed list")
    if found.set_aside:
        text = f"{found.set_aside:,} events cannot be published; everything else goes on."
        yield Finding("set aside", Level.WARN, text, "carillon unpublished list")
    if found.drifted:
        text = (
            f"{found.drifted:,} unread counters or to-dos were wrong in the last nightly recount."
        )
        yield Finding(
            "drift", Level.FAIL, text, "A defect: see docs/operations/runbook.md, UnreadDrift."
        )


def check_pauses(site: Site) -> Iterator[Finding]:
    """What operators have paused, and what of which app is put aside, of paused and of disabled apps."""
    with _open_database(site) as record:
        paused = record.transaction(pauses.list_pauses)
        held = record.transaction(held_sends.count_held)
    for one in paused:
        since = one.paused_at.astimezone().strftime("%Y-%m-%d %H:%M")
        reason = f": {one.reason}" if one.reason else ""
        waits = f" {held.pop(one.target, 0):,} sends are put aside." if one.kind == "app" else ""
        text = f"The {one.kind} {one.target} is paused since {since} by {one.paused_by}{reason}.{waits}"
        yield Finding("pauses", Level.WARN, text, f"carillon resume {one.kind} {one.target}")
    for app_id, count in held.items():
        text = f"{count:,} sends of the disabled app {app_id} are put aside."
        yield Finding("pauses", Level.OK, text, f"carillon app enable {app_id} lets them go on.")
    if not paused and not held:
        yield Finding("pauses", Level.OK, "Nothing is paused.")


def check_erasures(site: Site) -> Iterator[Finding]:
    """Which erasures of people go on, and which of them fail."""
    with _open_database(site) as record:
        found = record.transaction(erasures.list_open, limit=SHOWN_BROADCASTS)
    for one in found:
        text = f"User {one.user_id} is being erased since {one.requested_at:%Y-%m-%d %H:%M} (UTC): {one.step}."
        late = (datetime.now(UTC) - one.requested_at) > ERASURE_LATE
        if one.error:
            yield Finding(
                "erasures", Level.FAIL, f"{text} {one.error}", "It is tried again every minute."
            )
        elif late:
            mend = "Does a worker of `upkeep` run? Is the queue sends paused? carillon pauses"
            yield Finding("erasures", Level.WARN, text, mend)
        else:
            yield Finding("erasures", Level.OK, text)
    if not found:
        yield Finding("erasures", Level.OK, "Nobody is being erased.")


def check_sweep(site: Site) -> Iterator[Finding]:
    """Whether what has to happen by the clock does: beat asks for it, and an upkeep worker does it."""
    with _open_database(site) as record:
        last = record.transaction(periodic_jobs.find_last_start, periodic_jobs.SWEEP)
    if last is None or last.taken_seconds > SWEEP_LATE_SECONDS:
        text = "Nobody sweeps: scheduled sends stay, and rings that were lost are not made good."
        yield Finding("sweep", Level.FAIL, text, START_SWEEPING, because=("broker", "workers"))
    elif last.on_time_seconds > SWEEP_LATE_SECONDS:
        text = "Workers sweep because beat, or the upkeep worker, does not."
        yield Finding("sweep", Level.WARN, text, START_SWEEPING, because=("broker", "workers"))
    else:
        yield Finding("sweep", Level.OK, f"Swept {last.on_time_seconds:.1f} s ago.")


def check_broadcasts(site: Site) -> Iterator[Finding]:
    """Which broadcasts fail, why, and how each is tried again."""
    with _open_database(site) as record:
        failing = record.transaction(failures.list_failing, limit=SHOWN_BROADCASTS)
    for one in failing:
        text = f"{one.broadcast_id} of {one.app_name}: {one.parts:,} parts fail: {one.last_error}"
        mend = f"Mend the cause, then: carillon broadcasts retry {one.broadcast_id}"
        yield Finding("broadcasts", Level.FAIL, text, mend)
    if not failing:
        yield Finding("broadcasts", Level.OK, "Nothing fails.")
