"""Checks of what stands around the record: Valkey, the broker and its workers, the gateway, and the disk."""

import re
import shutil
import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx

from ops.doctor.findings import Finding, Level, Site, compare_clocks
from storage import health
from storage.broker.doorbell import Doorbell
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import BROADCASTS, SENDS, UPKEEP, QueueSettings
from storage.settings import DataFolder, ValkeySettings, load

HTTP_SECONDS = 3.0
INSPECT_SECONDS = 2.0
VALKEY_NEARLY_FULL = 0.9  # of its limit of memory
LEAST_FREE_BYTES = 1 << 30
START_BROKER = "Is it up, and CARILLON_BROKER_URL right?"
_BUSY = re.compile(r'^carillon_database_busy_total\{share="(\w+)"\} (\S+)$', re.MULTILINE)


def check_valkey(site: Site) -> Iterator[Finding]:
    """Whether Valkey keeps what it is given and has room for more, and what its clock says."""
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
    elif share > VALKEY_NEARLY_FULL:
        text = f"{share:.0%} of its memory is used; full, it refuses writes."
        mend = "Raise maxmemory; the bus itself takes at most half of it."
        yield Finding("valkey", Level.WARN, text, mend)
    else:
        used = f"{found.used_bytes / 2**20:,.0f} MiB used."
        yield Finding("valkey", Level.OK, f"noeviction, {used}")
    yield compare_clocks(site, "Valkey", found.now)


def check_broker(site: Site) -> Iterator[Finding]:
    """Whether the broker answers, and whether every queue has a worker."""
    settings = load(QueueSettings, site.variables)
    doorbell = Doorbell(settings)
    is_there = doorbell.is_reachable()
    doorbell.close()
    if not is_there:
        text = "It does not answer: sends are accepted, and delivered a second later than usual."
        yield Finding("broker", Level.FAIL, text, START_BROKER)
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


def check_gateway(site: Site) -> Iterator[Finding]:
    """Whether the gateway is ready."""
    if site.gateway_url is None:
        yield Finding("gateway", Level.WARN, "Not examined.", "Name it: --gateway http://host:8001")
        return
    try:
        began = time.monotonic()
        answer = httpx.get(f"{site.gateway_url}/readyz", timeout=HTTP_SECONDS)
    except httpx.TransportError:
        yield Finding("gateway", Level.FAIL, f"{site.gateway_url} does not answer.", "Start it.")
        return
    if answer.status_code != HTTPStatus.OK:
        text = f"{site.gateway_url} is not ready: {answer.text[:200]}"
        yield Finding("gateway", Level.FAIL, text, "Does it reach Valkey (CARILLON_VALKEY_URL)?")
    else:
        yield Finding("gateway", Level.OK, f"Ready, in {(time.monotonic() - began) * 1000:.0f} ms.")


def check_connections(site: Site) -> Iterator[Finding]:
    """Whether questions waited in vain for a connection to PostgreSQL, in the process at the gateway's address.

    Nothing is found where that process is not an ingest process too, as it is under `carillon up`.
    """
    if site.gateway_url is None:
        return
    try:
        text = httpx.get(f"{site.gateway_url}/metrics", timeout=HTTP_SECONDS).text
    except httpx.TransportError:
        return  # said by the check of the gateway
    found = {share: int(float(count)) for share, count in _BUSY.findall(text)}
    refused = {share: count for share, count in found.items() if count}
    if refused:
        said = ", ".join(f"{share} {count:,}" for share, count in refused.items())
        text = f"Questions that got no connection to PostgreSQL in time since web started: {said}."
        yield Finding(
            "connections", Level.WARN, text, "docs/operations/runbook.md, DatabaseShareIsUsedUp."
        )
    elif found:
        yield Finding("connections", Level.OK, "No share of them was ever used up.")


def check_disk(site: Site) -> Iterator[Finding]:
    """Whether the data folder has room; nothing is found where there is no such folder."""
    folder = load(DataFolder, site.variables).path
    if not folder.is_dir():
        return
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 2**30:,.1f} GiB free for {folder}."
    if usage.free < LEAST_FREE_BYTES:
        yield Finding("disk", Level.FAIL, text, "Make room: full, sends are answered 503.")
    else:
        yield Finding("disk", Level.OK, text)
