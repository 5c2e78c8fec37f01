"""What is wrong with a deployment, and how to mend it: the checks of `carillon doctor`.

Every check is bounded in time: a server that hangs is a finding. Nothing is changed.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import httpx

from storage import health
from storage.broker.doorbell import Doorbell
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import BROADCASTS, SENDS, UPKEEP, QueueSettings
from storage.keys.vault import Vault, VaultSettings
from storage.model.errors import CarillonError
from storage.postgres import periodic_jobs, schema
from storage.postgres.broadcasts import failures
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps
from storage.postgres.sends import backlog
from storage.settings import DatabaseSettings, DataFolder, ValkeySettings, load

PATIENCE_SECONDS = 6.0
INSPECT_SECONDS = 2.0
OLDEST_POSTGRESQL = 170000
# Signatures of apps are good for minutes (contract §1); people's tokens for exactly their time.
SKEW_WARNING_SECONDS, SKEW_FAILURE_SECONDS = 2.0, 60.0
MONTHS_AHEAD = 1
CONNECTIONS_LEFT = 10
LATE_SECONDS = 30.0
# Longer than any lock of ours is held, and than sessions of ours may wait for one.
LOCK_WAIT = timedelta(seconds=3)
OLD_TRANSACTION_SECONDS = 600.0
BUSY = re.compile(r'^carillon_database_busy_total\{share="(\w+)"\} (\S+)$', re.MULTILINE)
SWEEP_LATE_SECONDS = 10.0
SHOWN = 10
FULL = 0.9
LEAST_FREE_BYTES = 1 << 30
HTTP_OK = 200


class Level(StrEnum):
    """How bad it is."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `mend` says what to do, unless all is well."""

    name: str
    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What is examined: its settings, its gateway (None: unknown), and the time by this machine."""

    variables: Mapping[str, str]
    gateway_url: str | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


Check = Callable[[Site], Iterator[Finding]]


def examine(
    site: Site, *, only: Collection[str] = (), patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Finding]:
    """Run the checks (`only` these of CHECKS), one after the other; each has its time and a finding."""
    for name, check in CHECKS.items():
        if not only or name in only:
            yield from _bounded(name, check, site, seconds=patience_seconds)


def _bounded(name: str, check: Check, site: Site, *, seconds: float) -> list[Finding]:
    """The findings of one check; what it raises, and that it hangs, are findings too."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(check(site))
        except CarillonError as error:
            found.append(Finding(name, Level.FAIL, error.detail, MEND.get(name, "")))
        except Exception as error:  # noqa: BLE001 (drivers raise many kinds; each is a finding)
            found.append(Finding(name, Level.FAIL, f"{type(error).__name__}.", MEND.get(name, "")))

    # A daemon: whoever hangs is left behind when the command ends.
    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return [Finding(name, Level.FAIL, f"No answer in {seconds:g} s.", MEND.get(name, ""))]
    return found


@contextmanager
def _record(site: Site) -> Iterator[BlockingDatabase]:
    settings = load(DatabaseSettings, site.variables)
    record = BlockingDatabase(settings, application_name="carillon doctor")
    try:
        yield record
    finally:
        record.close()


def _database(site: Site) -> Iterator[Finding]:
    with _record(site) as record:
        found = record.transaction(health.examine)
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
    yield _skew(site, "PostgreSQL", found.now)


def _sessions(site: Site) -> Iterator[Finding]:
    with _record(site) as record:
        found = record.transaction(health.sessions, wait=LOCK_WAIT)
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


def _shares(site: Site) -> Iterator[Finding]:
    """Of the process behind the address that is known, if it is an ingest process too (`carillon up`)."""
    if site.gateway_url is None:
        return
    try:
        text = httpx.get(f"{site.gateway_url}/metrics", timeout=PATIENCE_SECONDS / 2).text
    except httpx.TransportError:
        return  # said by the check of the gateway
    found = {share: int(float(count)) for share, count in BUSY.findall(text)}
    refused = {share: count for share, count in found.items() if count}
    if refused:
        said = ", ".join(f"{share} {count:,}" for share, count in refused.items())
        text = f"Questions that got no connection to PostgreSQL in time since web started: {said}."
        yield Finding(
            "connections", Level.WARN, text, "docs/operations/runbook.md, DatabaseShareIsUsedUp."
        )
    elif found:
        yield Finding("connections", Level.OK, "No share of them was ever used up.")


def _skew(site: Site, whose: str, now: datetime) -> Finding:
    seconds = abs((now - site.clock()).total_seconds())
    text = f"{whose}'s clock and this machine's differ by {seconds:.1f} s."
    if seconds < SKEW_WARNING_SECONDS:
        return Finding("clock", Level.OK, text)
    level = Level.WARN if seconds < SKEW_FAILURE_SECONDS else Level.FAIL
    return Finding("clock", level, text, "Synchronize both by NTP (chrony, systemd-timesyncd).")


def _schema(site: Site) -> Iterator[Finding]:
    with _record(site) as record:
        is_old = record.transaction(schema.has_missing_migrations)
        ahead = record.transaction(health.examine).months_ahead
    if is_old:
        text = "The schema is not that of this version."
        yield Finding("schema", Level.FAIL, text, "carillon db upgrade")
        return
    yield Finding("schema", Level.OK, "The schema is that of this version.")
    if ahead < MONTHS_AHEAD:
        text = "Next month has no partitions: sends would fail then."
        mend = "carillon db upgrade; then see why the upkeep worker does not make them."
        yield Finding("partitions", Level.FAIL, text, mend)
    else:
        yield Finding("partitions", Level.OK, f"{ahead} months ahead.")


def _secrets(site: Site) -> Iterator[Finding]:
    vault = Vault(load(VaultSettings, site.variables))
    with _record(site) as record:
        known = record.transaction(apps.list_all)
        for app in known:
            record.transaction(apps.find_secrets, app.id, vault=vault)
    yield Finding("secrets", Level.OK, f"The key opens the secrets of {len(known)} apps.")


def _backlog(site: Site) -> Iterator[Finding]:
    with _record(site) as record:
        found = record.transaction(backlog.measure_backlog)
    late = found.oldest_seconds > LATE_SECONDS
    if found.ids_ahead_seconds > SKEW_WARNING_SECONDS:
        text = (
            f"PostgreSQL's clock is {found.ids_ahead_seconds:,.0f} s behind the newest message id."
        )
        yield Finding("ids", Level.WARN, text, "It was set back: see that it is kept (chrony).")
    text = f"{found.waiting:,} wait, the oldest for {found.oldest_seconds:.0f} s."
    mend = "Is a worker of `sends` up? Its log says what holds it."
    yield Finding("backlog", *((Level.FAIL, text, mend) if late else (Level.OK, text)))
    if found.failed:
        text = f"{found.failed:,} sends failed five times."
        yield Finding("failed sends", Level.WARN, text, "carillon failed list")
    if found.set_aside:
        text = f"{found.set_aside:,} events cannot be published; everything else goes on."
        yield Finding("set aside", Level.WARN, text, "carillon unpublished list")
    if found.drifted:
        text = f"{found.drifted:,} unread counters were wrong in the last nightly recount."
        yield Finding(
            "drift", Level.FAIL, text, "A defect: see docs/operations/runbook.md, UnreadDrift."
        )


def _sweep(site: Site) -> Iterator[Finding]:
    """Whether what has to happen by the clock does: beat asks, and an upkeep worker does it."""
    with _record(site) as record:
        last = record.transaction(periodic_jobs.find_last_start, periodic_jobs.SWEEP)
    if last is None or last.taken_seconds > SWEEP_LATE_SECONDS:
        text = "Nobody sweeps: scheduled sends stay, and rings that were lost are not made good."
        yield Finding("sweep", Level.FAIL, text, MEND["sweep"])
    elif last.on_time_seconds > SWEEP_LATE_SECONDS:
        text = "Workers sweep because beat, or the upkeep worker, does not."
        yield Finding("sweep", Level.WARN, text, MEND["sweep"])
    else:
        yield Finding("sweep", Level.OK, f"Swept {last.on_time_seconds:.1f} s ago.")


def _broadcasts(site: Site) -> Iterator[Finding]:
    with _record(site) as record:
        failing = record.transaction(failures.list_failing, limit=SHOWN)
    for one in failing:
        text = f"{one.broadcast_id} of {one.app_name}: {one.parts:,} parts fail: {one.last_error}"
        mend = f"Mend the cause, then: carillon broadcasts retry {one.broadcast_id}"
        yield Finding("broadcasts", Level.FAIL, text, mend)
    if not failing:
        yield Finding("broadcasts", Level.OK, "Nothing fails.")


def _valkey(site: Site) -> Iterator[Finding]:
    found = health.examine_valkey(load(ValkeySettings, site.variables))
    share = found.used_bytes / found.limit_bytes if found.limit_bytes else 0.0
    if found.policy != "noeviction":
        text = f"maxmemory-policy is {found.policy}: rings, events and tickets may vanish."
        mend = "valkey-cli config set maxmemory-policy noeviction, and in its configuration."
        yield Finding("valkey", Level.FAIL, text, mend)
    elif found.refusal:
        text = f"It refuses writes: {found.refusal}"
        mend = "Raise maxmemory, or make room on its disk: docs/operations/runbook.md, BusRefusesWrites."
        yield Finding("valkey", Level.FAIL, text, mend)
    elif share > FULL:
        text = f"{share:.0%} of its memory is used; full, it refuses writes."
        mend = "Raise maxmemory; the bus itself takes at most half of it."
        yield Finding("valkey", Level.WARN, text, mend)
    else:
        used = f"{found.used_bytes / 2**20:,.0f} MiB used."
        yield Finding("valkey", Level.OK, f"noeviction, {used}")
    yield _skew(site, "Valkey", found.now)


def _broker(site: Site) -> Iterator[Finding]:
    settings = load(QueueSettings, site.variables)
    doorbell = Doorbell(settings)
    is_there = doorbell.is_reachable()
    doorbell.close()
    if not is_there:
        text = "It does not answer: sends are accepted, and delivered a second later than usual."
        yield Finding("broker", Level.FAIL, text, MEND["broker"])
        return
    yield Finding("broker", Level.OK, "It answers.")
    missing = {SENDS, BROADCASTS, UPKEEP} - find_consumed_queues(settings, seconds=INSPECT_SECONDS)
    if missing:
        text = f"Nobody takes from {', '.join(sorted(missing))}."
        mend = "; ".join(
            f"celery -A workers.celery_app worker -Q {queue}" for queue in sorted(missing)
        )
        yield Finding("workers", Level.FAIL, text, mend)
    else:
        yield Finding("workers", Level.OK, "Every queue has a worker.")


def _gateway(site: Site) -> Iterator[Finding]:
    if site.gateway_url is None:
        yield Finding("gateway", Level.WARN, "Not examined.", "Name it: --gateway http://host:8001")
        return
    try:
        began = time.monotonic()
        answer = httpx.get(f"{site.gateway_url}/readyz", timeout=PATIENCE_SECONDS / 2)
    except httpx.TransportError:
        yield Finding("gateway", Level.FAIL, f"{site.gateway_url} does not answer.", "Start it.")
        return
    if answer.status_code != HTTP_OK:
        text = f"{site.gateway_url} is not ready: {answer.text[:200]}"
        yield Finding("gateway", Level.FAIL, text, "Does it reach Valkey (CARILLON_VALKEY_URL)?")
    else:
        yield Finding("gateway", Level.OK, f"Ready, in {(time.monotonic() - began) * 1000:.0f} ms.")


def _disk(site: Site) -> Iterator[Finding]:
    folder = load(DataFolder, site.variables).path
    if not folder.is_dir():
        return
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 2**30:,.1f} GiB free for {folder}."
    if usage.free < LEAST_FREE_BYTES:
        yield Finding("disk", Level.FAIL, text, "Make room: full, sends are answered 503.")
    else:
        yield Finding("disk", Level.OK, text)


CHECKS: Mapping[str, Check] = {
    "database": _database,
    "sessions": _sessions,
    "schema": _schema,
    "secrets": _secrets,
    "backlog": _backlog,
    "sweep": _sweep,
    "broadcasts": _broadcasts,
    "valkey": _valkey,
    "broker": _broker,
    "gateway": _gateway,
    "connections": _shares,
    "disk": _disk,
}
MEND: Mapping[str, str] = {
    "database": "Is PostgreSQL up, and CARILLON_DATABASE_URL right?",
    "sessions": "See database.",
    "schema": "carillon db upgrade",
    "secrets": "Is CARILLON_SECRETS_KEY the one that the apps were added under?",
    "backlog": "See database.",
    "sweep": "Start beat (celery -A workers.celery_app beat), and a worker of `upkeep`.",
    "broadcasts": "See database.",
    "valkey": "Is Valkey up, and CARILLON_VALKEY_URL right?",
    "broker": "Is it up, and CARILLON_BROKER_URL right?",
}
