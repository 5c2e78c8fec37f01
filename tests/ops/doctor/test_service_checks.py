"""What `carillon doctor` finds around the record: each defect is planted, found, and has its remedy."""

import json
import shutil
from collections import namedtuple
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import httpx
import pytest
import redis
from moto.server import ThreadedMotoServer

from ops.backup.last_backup import remember_backup
from ops.doctor.examination import examine
from ops.doctor.findings import Level, Site
from tests.ops.doctor.findings import find, find_level

Usage = namedtuple("Usage", "total used free")


def test_queues_without_a_worker_are_named(environ: Mapping[str, str]) -> None:
    """If no worker runs, each queue is named in the command that starts a worker of it."""
    [finding] = find(environ, "workers")
    assert finding.level is Level.FAIL
    for queue in ("sends", "broadcasts", "upkeep"):
        assert f"worker -Q {queue}" in finding.mend


def test_an_eviction_policy_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey that may evict what was written is found."""
    assert find_level(environ, "valkey") is Level.OK
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert find_level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory-policy", "noeviction")


def test_a_full_valkey_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey near its limit of memory is a warning."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", int(used * 1.05))
        try:
            assert find_level(environ, "valkey") is Level.WARN
        finally:
            client.config_set("maxmemory", 0)


def test_a_valkey_that_refuses_writes_is_found(environ: Mapping[str, str]) -> None:
    """A Valkey over its limit of memory is a failure."""
    with redis.Redis.from_url(environ["CARILLON_VALKEY_URL"]) as client:
        client.config_set("maxmemory", 100_000)
        try:
            assert find_level(environ, "valkey") is Level.FAIL
        finally:
            client.config_set("maxmemory", 0)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, Level.OK), (0.2, Level.WARN), (10, Level.FAIL)]
)
def test_this_machines_clock_is_blamed_once(
    environ: Mapping[str, str], minutes: float, expected: Level
) -> None:
    """If PostgreSQL and Valkey agree with each other and not with this machine, its clock is the one finding."""
    [clock] = find(environ, "clock", clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    assert clock.level is expected
    if minutes:
        assert clock.text.startswith("This machine's clock is ")
        assert "ahead of those of PostgreSQL and Valkey" in clock.text


def test_a_disk_is_judged_by_what_is_free(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk with little room is a warning, one with almost none a failure."""
    for free, level in ((100 << 30, Level.OK), (2 << 30, Level.WARN), (1 << 20, Level.FAIL)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(free, 0, free))
        assert find_level(environ, "disk") is level


def test_a_queue_without_a_worker_explains_what_waits(environ: Mapping[str, str]) -> None:
    """That nobody sweeps is told with the workers that are missing, and not as a second cause."""
    found = {one.name: one for one in examine(Site(environ))}
    assert "sweep" not in found
    assert any(text.startswith("sweep: ") for text in found["workers"].follows)


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """The settings of a bucket on a server of the S3 protocol that judges keys and signatures."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    session = boto3.session.Session(
        aws_access_key_id="first", aws_secret_access_key="first", region_name="us-east-1"
    )
    session.client("s3", endpoint_url=url).create_bucket(Bucket="carillon")
    iam = session.client("iam", endpoint_url=url)
    iam.create_user(UserName="carillon")
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="carillon", PolicyName="objects", PolicyDocument=policy)
    key = iam.create_access_key(UserName="carillon")["AccessKey"]
    # From now on it judges who calls.
    previous = httpx.post(f"{url}/moto-api/reset-auth", content="0").json()
    yield {
        "CARILLON_S3_BUCKET": "carillon",
        "CARILLON_S3_ENDPOINT_URL": url,
        "CARILLON_S3_ACCESS_KEY_ID": key["AccessKeyId"],
        "CARILLON_S3_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    before = str(previous["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"])
    httpx.post(f"{url}/moto-api/reset-auth", content=before)
    server.stop()


def test_a_bucket_that_answers_is_well(environ: Mapping[str, str], bucket: dict[str, str]) -> None:
    """A bucket that answers to our key is no finding to mend, although the object that is asked for is nobody's."""
    assert find_level({**environ, **bucket}, "media") is Level.OK


@pytest.mark.parametrize(
    ("settings", "cause", "mend"),
    [
        (
            {"CARILLON_S3_ACCESS_KEY_ID": "AKIAOTHER"},
            "does not know our user",
            "Correct CARILLON_S3_ACC",
        ),
        (
            {"CARILLON_S3_SECRET_ACCESS_KEY": "other"},
            "does not take our",
            "Correct CARILLON_S3_SECRET",
        ),
        ({"CARILLON_S3_BUCKET": "other"}, "is up and has no such database", "Make the bucket"),
        ({"CARILLON_S3_INTERNAL_URL": "http://127.0.0.1:1"}, "nobody listens", "Start it"),
        ({"CARILLON_S3_INTERNAL_URL": "http://no.such.invalid"}, "no host of that name", "Correct"),
    ],
)
def test_what_is_wrong_with_a_bucket_is_named(
    environ: Mapping[str, str],
    bucket: dict[str, str],
    settings: dict[str, str],
    cause: str,
    mend: str,
) -> None:
    """A wrong key, a wrong secret, a bucket that is missing, a dead server and an unknown host are five causes."""
    [finding] = find({**environ, **bucket, **settings}, "media")
    assert finding.level is Level.FAIL
    assert cause in finding.text
    assert finding.mend.startswith(mend)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:1", "nobody listens"),
        ("http://no.such.invalid:8001", "no host of that name"),
        ("127.0.0.1:8001", "malformed"),
        ("http://[::1", "malformed"),
    ],
)
def test_a_gateway_that_is_away_is_named_with_its_cause(
    environ: Mapping[str, str], url: str, cause: str
) -> None:
    """A gateway's address that is wrong is not a gateway that is down."""
    [finding] = find(environ, "gateway", gateway_url=url)
    assert cause in finding.text


def test_an_old_backup_is_found(tmp_path: Path) -> None:
    """Of a stack's data folder the age of the last backup is told: a week is a warning, none at all is no failure."""
    own = {"CARILLON_DATA_DIR": str(tmp_path)}
    assert find(own, "backup") == []
    (tmp_path / "postgres").mkdir()
    assert find_level(own, "backup") is Level.OK
    now = datetime.now(UTC)
    remember_backup(tmp_path, tmp_path / "one", made_at=now - timedelta(days=6))
    assert find_level(own, "backup") is Level.OK
    remember_backup(tmp_path, tmp_path / "one", made_at=now - timedelta(days=8))
    assert find_level(own, "backup") is Level.WARN
