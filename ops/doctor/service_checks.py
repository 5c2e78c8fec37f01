"""Checks of what stands around the record: Valkey, the broker and its workers, media, the gateway, and the disk."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from ops.backup.last_backup import find_last_backup
from ops.doctor.findings import Blocked, Finding, Level, Site
from ops.doctor.remedies import BROKER, GATEWAY, S3, VALKEY, block
from storage import health
from storage.broker import obstacles as broker_obstacles
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import BROADCASTS, CALLBACKS, SENDS, UPKEEP, QueueSettings
from storage.media import obstacles as media_obstacles
from storage.media.store import MediaSettings, find_folder
from storage.reachability import Cause, Obstacle, probe_address
from storage.settings import DataFolder, ValkeySettings, load
from storage.valkey import obstacles as valkey_obstacles

HTTP_SECONDS = 3.0
INSPECT_SECONDS = 2.0
VALKEY_NEARLY_FULL = 0.9  # of its limit of memory
LEAST_FREE_BYTES, FEW_FREE_BYTES = 1 << 30, 5 << 30
CONNECT_SECONDS = 2.0
OLD_BACKUP = timedelta(days=7)
# The Celery app whose workers take from each queue.
WORKER_APPS = {
    SENDS: "workers.celery_app",
    BROADCASTS: "workers.celery_app",
    UPKEEP: "workers.celery_app",
    CALLBACKS: "workers.callbacks_app",
}
_BUSY = re.compile(r'^carillon_database_busy_total\{share="(\w+)"\} (\S+)$', re.MULTILINE)


def check_valkey(site: Site) -> Iterator[Finding]:
    """Whether Valkey lets us in, keeps what it is given and has room for more."""
    settings = load(ValkeySettings, site.variables)
    if obstacle := valkey_obstacles.find_obstacle(
        settings.url, name=VALKEY.variable, seconds=CONNECT_SECONDS
    ):
        raise block(VALKEY, obstacle)
    found = health.examine_valkey(settings)
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


def check_broker(site: Site) -> Iterator[Finding]:
    """Whether the broker lets us in. If it is the Valkey of the bus, what keeps us from that is said there."""
    settings = load(QueueSettings, site.variables)
    is_bus = settings.url == settings.valkey_url
    server = VALKEY if is_bus else BROKER
    if obstacle := broker_obstacles.find_obstacle(settings, seconds=CONNECT_SECONDS):
        raise block(server, obstacle, because=("valkey",) if is_bus else ())
    yield Finding("broker", Level.OK, "It answers.")


def check_workers(site: Site) -> Iterator[Finding]:
    """Whether every queue has a worker."""
    settings = load(QueueSettings, site.variables)
    missing = set(WORKER_APPS) - find_consumed_queues(settings, seconds=INSPECT_SECONDS)
    if missing:
        text = f"Nobody takes from {', '.join(sorted(missing))}."
        mend = "; ".join(
            f"celery -A {WORKER_APPS[queue]} worker -Q {queue}" for queue in sorted(missing)
        )
        # Where no app asked to be called, nobody needs that worker.
        level = Level.WARN if missing == {CALLBACKS} else Level.FAIL
        yield Finding("workers", level, text, mend)
    else:
        yield Finding("workers", Level.OK, "Every queue has a worker.")


def check_media(site: Site) -> Iterator[Finding]:
    """Whether the bucket takes our key, or the folder of media can be written."""
    settings = load(MediaSettings, site.variables)
    if settings.bucket:
        if obstacle := media_obstacles.find_obstacle(settings, seconds=CONNECT_SECONDS):
            raise block(S3, obstacle)
        yield Finding("media", Level.OK, f"The bucket {settings.bucket} answers.")
        return
    folder = find_folder(settings)
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise Blocked(
            f"The folder of media {folder} cannot be written.",
            f"chown it to the user of ingest: {folder}",
        )


def check_gateway(site: Site) -> Iterator[Finding]:
    """Whether the gateway is ready."""
    if site.gateway_url is None:
        yield Finding("gateway", Level.WARN, "Not examined.", "Name it: --gateway http://host:8001")
        return
    began = time.monotonic()
    answer = _ask_gateway(site.gateway_url)
    if answer.status_code == HTTPStatus.OK:
        yield Finding("gateway", Level.OK, f"Ready, in {(time.monotonic() - began) * 1000:.0f} ms.")
        return
    text = f"{site.gateway_url} is not ready: {_read_detail(answer)}"
    mend = "Does it reach Valkey (CARILLON_VALKEY_URL), and see the same as we do?"
    yield Finding("gateway", Level.FAIL, text, mend, because=tuple(_find_parts(answer.text)))


def _ask_gateway(url: str) -> httpx.Response:
    """Its answer of /readyz. Raises Blocked with the reason why there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise block(GATEWAY, Obstacle(Cause.MALFORMED, url)) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise block(GATEWAY, Obstacle(Cause.MALFORMED, url))
    if obstacle := probe_address(parts.hostname, port, seconds=CONNECT_SECONDS):
        raise block(GATEWAY, obstacle)
    try:
        return httpx.get(f"{url}/readyz", timeout=HTTP_SECONDS)
    except httpx.TimeoutException as error:
        raise block(GATEWAY, Obstacle(Cause.SILENT, url)) from error
    except httpx.TransportError as error:
        cause = Cause.BAD_CERTIFICATE if "CERTIFICATE" in str(error) else Cause.WRONG_SERVER
        raise block(GATEWAY, Obstacle(cause, url)) from error


def _read_detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return f"{answer.status_code} {answer.text[:200]}"


# What /readyz says is missing, and the finding that says why, where doctor reaches as little.
_PARTS = {"database": ("database", "schema"), "broker": ("broker", "valkey"), "bus": ("valkey",)}


def _find_parts(text: str) -> Iterator[str]:
    for part, names in _PARTS.items():
        if re.search(rf"\b{part}\b", text):
            yield from names


def check_connections(site: Site) -> Iterator[Finding]:
    """Whether questions waited in vain for a connection to PostgreSQL, in the process at the gateway's address.

    Nothing is found where that process is not an ingest process too, as it is under `carillon up`.
    """
    if site.gateway_url is None:
        return
    try:
        text = httpx.get(f"{site.gateway_url}/metrics", timeout=HTTP_SECONDS).text
    except httpx.TransportError:
        return
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


def check_backup(site: Site) -> Iterator[Finding]:
    """How old the last backup of the data folder is; nothing is found where the record is not in that folder."""
    folder = load(DataFolder, site.variables).path
    if not (folder / "postgres").is_dir():
        return
    last = find_last_backup(folder)
    if last is None:
        yield Finding("backup", Level.OK, "None was made yet: carillon backup FILE.")
        return
    age = site.clock() - last.made_at
    text = f"The last one is {max(0, age.days)} days old: {last.file}."
    if age > OLD_BACKUP:
        yield Finding("backup", Level.WARN, text, "carillon backup FILE, every night.")
    else:
        yield Finding("backup", Level.OK, text)


def check_disk(site: Site) -> Iterator[Finding]:
    """Whether the data folder, and the folder of media if it is on another disk, have room; nothing is found where there is none."""
    settings = load(MediaSettings, site.variables)
    folders = [load(DataFolder, site.variables).path]
    folders += [] if settings.bucket else [find_folder(settings)]
    disks = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.is_dir()}
    for folder in disks.values():
        free = shutil.disk_usage(folder).free
        text = f"{free / 2**30:,.1f} GiB free for {folder}."
        if free < LEAST_FREE_BYTES:
            yield Finding("disk", Level.FAIL, text, "Make room: full, sends are answered 503.")
        elif free < FEW_FREE_BYTES:
            yield Finding(
                "disk", Level.WARN, text, "Make room soon, or set CARILLON_RETENTION_DAYS."
            )
        else:
            yield Finding("disk", Level.OK, text)
