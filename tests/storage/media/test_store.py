"""Media: whose an object is, and a bucket that takes and gives exactly what was signed."""

import asyncio
import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import boto3
import httpx
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from sqlalchemy import Connection, create_engine

from storage.media import s3
from storage.media.bucket import Addressing, Bucket
from storage.media.local import LocalStore
from storage.media.s3 import S3Store
from storage.media.store import MediaSettings, MediaStore, make_key, make_media_store
from storage.model.errors import Invalid, InvalidSettings, TooLarge, TransientError
from storage.model.media import MediaObject, choose_headers
from storage.postgres.media_objects import find, record_upload
from storage.settings import DatabaseSettings, load

PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)
OWNER = "user:2048"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection whose transaction is rolled back."""
    settings = load(DatabaseSettings, {"CARILLON_DATABASE_URL": database_url})
    engine = create_engine(settings.url)
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
    engine.dispose()


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A real server of the S3 protocol, with a bucket `carillon`."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket="carillon")
    yield url
    server.stop()


@pytest.fixture
def bucket(s3_url: str) -> MediaStore:
    """The store of a bucket on that server."""
    return make_media_store(load(MediaSettings, s3_environ(s3_url)))


def s3_environ(url: str) -> dict[str, str]:
    """The environment of a deployment with that S3 service."""
    return {
        "CARILLON_S3_BUCKET": "carillon",
        "CARILLON_S3_ENDPOINT_URL": url,
        "CARILLON_S3_ACCESS_KEY_ID": "key",
        "CARILLON_S3_SECRET_ACCESS_KEY": "secret",
        "CARILLON_MEDIA_MAX_BYTES": "5000",
    }


def test_the_settings_choose_the_store() -> None:
    """A bucket's name chooses S3, a signing key the folder; without both InvalidSettings names both variables."""
    assert isinstance(make_media_store(load(MediaSettings, s3_environ("http://a.b"))), S3Store)
    assert isinstance(
        make_media_store(load(MediaSettings, {"CARILLON_MEDIA_KEY": "k"})), LocalStore
    )
    with pytest.raises(InvalidSettings, match=r"CARILLON_MEDIA_KEY.*CARILLON_S3_BUCKET"):
        make_media_store(MediaSettings())


def test_new_keys_are_unguessable_and_end_as_the_type_does() -> None:
    """Two keys of the same file differ in 128 bits, and the extension is the type's."""
    first, second = (make_key(OWNER, "照片.png", content_type="image/png") for _ in range(2))
    assert first != second
    assert re.fullmatch(r"user-2048/[0-9a-f]{32}\.png", first)


def test_an_object_has_the_owner_and_the_name_that_were_remembered(connection: Connection) -> None:
    """The caller that was allowed to upload a key is its owner, and a key that nobody uploads has none."""
    key = make_key(OWNER, "a.png")
    record_upload(connection, key, owner=OWNER, content_type="image/png", filename="a.png", size=3)
    found = find(connection, [make_key(OWNER, "a.png"), key, key])
    assert found == [None, MediaObject(OWNER, "a.png"), MediaObject(OWNER, "a.png")]


def test_a_form_uploads_and_a_url_shows(bucket: MediaStore) -> None:
    """What is posted with the form comes back from the URL, byte for byte, as an image in place."""
    key = make_key(OWNER, "a.png", content_type="image/png")
    form = bucket.upload(key, content_type="image/png", size=len(PNG))
    assert (form.method, form.expires_in, form.headers) == ("POST", 3600, {})
    posted = httpx.post(form.url, data=form.fields, files={"file": ("a.png", PNG, "image/png")})
    assert posted.status_code in {200, 204}
    shown = httpx.get(bucket.url(key))
    assert shown.content == PNG
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-disposition"] == "inline"


def test_a_page_in_the_bucket_is_a_download(bucket: MediaStore) -> None:
    """An uploaded HTML file is not shown as a page, whatever type it was uploaded with."""
    key = make_key(OWNER, "a.html", content_type="text/html")
    form = bucket.upload(key, content_type="text/html", size=5)
    httpx.post(form.url, data=form.fields, files={"file": ("a.html", b"<hr/>", "text/html")})
    shown = httpx.get(bucket.url(key))
    assert shown.content == b"<hr/>"
    assert shown.headers["content-type"] == "application/octet-stream"
    assert shown.headers["content-disposition"].startswith("attachment")


def test_a_form_is_for_one_key_size_and_type(bucket: MediaStore) -> None:
    """The signed policy names exactly the key, the size and the type; the bucket's secret is not in it."""
    key = make_key(OWNER, "a.png", content_type="image/png")
    form = bucket.upload(key, content_type="image/png", size=1008)
    conditions = json.loads(base64.b64decode(form.fields["policy"]))["conditions"]
    assert ["content-length-range", 1008, 1008] in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert {"key": key} in conditions
    assert {"bucket": "carillon"} in conditions
    assert form.fields["key"] == key
    assert "secret" not in str(form.fields)


def test_a_bucket_s_urls_are_signed_and_end(bucket: MediaStore) -> None:
    """A URL carries version 4 of the signature and an hour's life, and keeps the secret to itself."""
    url = httpx.URL(bucket.url(make_key(OWNER, "a.png")))
    assert url.params["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert url.params["X-Amz-Expires"] == "3600"
    assert len(url.params["X-Amz-Signature"]) == 64
    assert "secret" not in str(url)


def test_a_bucket_s_url_is_the_same_for_a_quarter_of_its_life() -> None:
    """All processes make the same URL for a quarter of its lifetime, signed as of the beginning of that quarter."""
    now = [1_800_000_000.0]
    one, other = make_clocked_store(lambda: now[0]), make_clocked_store(lambda: now[0])
    key, seen = make_key(OWNER, "a.png"), []
    for _ in range(8):
        seen.append(one.url(key, filename="照片.png"))
        assert other.url(key, filename="照片.png") == seen[-1]
        now[0] += 450
    assert len(set(seen)) == 4
    assert httpx.URL(seen[0]).params["X-Amz-Date"] == "20270115T080000Z"
    assert one.url(key) != one.url(make_key(OWNER, "a.png")) != one.url(key, filename="b.png")


def make_clocked_store(clock: Callable[[], float]) -> S3Store:
    """A store whose clock is a test's."""
    bucket = Bucket("carillon", "us-east-1", "http://s3.internal", "key", "secret", "path")
    return S3Store(bucket, url_lifetime=timedelta(hours=1), max_bytes=5000, clock=clock)


@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_a_url_is_signed_as_botocore_would(addressing: Addressing) -> None:
    """As of the same instant botocore's own presigned URL is the same, character by character."""
    key, name = make_key(OWNER, "a.pdf"), "报告 (1) '草稿'+~.pdf"
    bucket = Bucket("carillon", "eu-west-1", "http://s3.internal", "key", "secret", addressing)
    shown = choose_headers(key, name)
    client = boto3.session.Session().client(
        "s3",
        endpoint_url="http://s3.internal",
        region_name="eu-west-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(signature_version="s3v4", s3={"addressing_style": addressing}),
    )
    parameters = {
        "Bucket": "carillon",
        "Key": key,
        "ResponseContentType": shown.content_type,
        "ResponseContentDisposition": shown.disposition,
    }
    theirs = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=3600)
    at = datetime.fromisoformat(httpx.URL(theirs).params["X-Amz-Date"]).timestamp()
    ours = S3Store(bucket, url_lifetime=timedelta(hours=1), max_bytes=5, clock=lambda: at)
    # Not `url`, which would round the instant.
    assert ours._sign(key, name, since=int(at)) == theirs


def test_a_bucket_says_whether_an_object_is_there(bucket: MediaStore) -> None:
    """A key that was granted and never uploaded is not there; after its upload it is, with its own name."""
    key = make_key(OWNER, "a.png", content_type="image/png")
    assert not asyncio.run(bucket.has_object(key))
    form = bucket.upload(key, content_type="image/png", size=len(PNG))
    httpx.post(form.url, data=form.fields, files={"file": ("a.png", PNG, "image/png")})
    assert asyncio.run(bucket.has_object(key))
    shown = httpx.get(bucket.url(key, filename="照片 1.png"))
    assert shown.headers["content-disposition"] == (
        "inline; filename*=UTF-8''%E7%85%A7%E7%89%87%201.png"
    )


def test_a_bucket_deletes_an_object(bucket: MediaStore) -> None:
    """A deleted object is not there any more; deleting is safe to repeat, and an away bucket says so."""
    key = make_key(OWNER, "a.png", content_type="image/png")
    form = bucket.upload(key, content_type="image/png", size=len(PNG))
    httpx.post(form.url, data=form.fields, files={"file": ("a.png", PNG, "image/png")})
    bucket.delete(key)
    bucket.delete(key)
    assert not asyncio.run(bucket.has_object(key))
    away = make_media_store(load(MediaSettings, s3_environ("http://127.0.0.1:9")))
    with pytest.raises(TransientError):
        away.delete(key)


def test_an_object_for_many_is_asked_for_once(
    bucket: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hundred sends of one object ask the bucket once; what was not there is asked for again later."""
    key = make_key(OWNER, "a.png", content_type="image/png")
    assert isinstance(bucket, S3Store)
    asked: list[str] = []
    ask = bucket._ask

    def note(key: str) -> bool:
        asked.append(key)
        return ask(key)

    monkeypatch.setattr(bucket, "_ask", note)

    async def many() -> set[bool]:
        return set(await asyncio.gather(*(bucket.has_object(key) for _ in range(500))))

    assert asyncio.run(many()) == {False}
    form = bucket.upload(key, content_type="image/png", size=len(PNG))
    httpx.post(form.url, data=form.fields, files={"file": ("a.png", PNG, "image/png")})
    assert asyncio.run(many()) == {True}
    assert asyncio.run(many()) == {True}
    assert asked == [key, key]


def test_a_bucket_that_cannot_say_is_asked_later() -> None:
    """A bucket that refuses connections, or a process without credentials, is no reason to refuse a send."""
    away = make_media_store(load(MediaSettings, s3_environ("http://127.0.0.1:9")))
    with pytest.raises(TransientError):
        asyncio.run(away.has_object(make_key(OWNER, "a.png")))


def test_a_bucket_is_asked_at_the_inner_url(s3_url: str) -> None:
    """Where clients reach the bucket at an address that processes do not, these have an address of their own."""
    environ = s3_environ("http://127.0.0.1:9") | {"CARILLON_S3_INTERNAL_URL": s3_url}
    store = make_media_store(load(MediaSettings, environ))
    key = make_key(OWNER, "a.png")
    assert not asyncio.run(store.has_object(key))
    assert store.url(key).startswith("http://127.0.0.1:9/carillon/")


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that finds no credentials says "later" of every URL, and of every upload."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr(s3, "_REST_SECONDS", 0.0)
    store = make_media_store(MediaSettings(bucket="b", endpoint_url="http://127.0.0.1:9"))
    key = make_key(OWNER, "a.png")
    for attempt in (
        lambda: store.url(key),
        lambda: store.upload(key, content_type="image/png", size=1),
        lambda: asyncio.run(store.has_object(key)),
    ):
        with pytest.raises(TransientError):
            attempt()


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({}, "http://s3.internal:9000/carillon/user-1/"),
        ({"CARILLON_S3_ADDRESSING": "virtual"}, "http://carillon.s3.internal:9000/user-1/"),
        (
            {"CARILLON_S3_ENDPOINT_URL": "", "CARILLON_S3_REGION": "eu-central-1"},
            "https://carillon.s3.eu-central-1.amazonaws.com/user-1/",
        ),
    ],
)
def test_where_the_bucket_is_in_a_url(changes: dict[str, str], start: str) -> None:
    """The bucket is in the path with an endpoint URL, in the host name at Amazon's, or where the setting puts it."""
    settings = load(MediaSettings, s3_environ("http://s3.internal:9000") | changes)
    store = make_media_store(settings)
    key = make_key("user:1", "a.png")
    assert store.url(key).startswith(start)
    assert store.upload(key, content_type="image/png", size=1).url.startswith(
        start[: -len("/user-1/")]
    )


@pytest.mark.parametrize("url", ["https://old.example/a.png?x=1", "HTTP://old.example/b"])
def test_older_data_passes_through(bucket: MediaStore, url: str) -> None:
    """Content that is a full URL already is shown unchanged (contract §4)."""
    assert bucket.url(url) == url


def test_what_no_store_takes(bucket: MediaStore) -> None:
    """An upload that is too large, empty or without a media type is refused before anything is signed."""
    key = make_key(OWNER, "a")
    with pytest.raises(TooLarge):
        bucket.upload(key, content_type="image/png", size=5001)
    for content_type, size in [("image/png", 0), ("image", 1), ("image/png; a=b", 1), ("a/b\n", 1)]:
        with pytest.raises(Invalid):
            bucket.upload(key, content_type=content_type, size=size)


def test_without_credentials_media_is_for_later_and_works_once_they_are_back(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials every URL raises TransientError; once they are back URLs are signed again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    environ = s3_environ(s3_url) | {
        "CARILLON_S3_ACCESS_KEY_ID": "",
        "CARILLON_S3_SECRET_ACCESS_KEY": "",
    }
    monkeypatch.setattr(s3, "_REST_SECONDS", 0.0)
    store = make_media_store(load(MediaSettings, environ))
    key = "u-1/0123456789abcdef0123456789abcdef.png"
    for _ in range(2):
        with pytest.raises(TransientError):
            store.url(key)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "X-Amz-Signature" in store.url(key)


def test_boto3_is_imported_when_needed() -> None:
    """A process with a local store, or that has signed nothing yet, does not carry boto3."""
    code = (
        "import sys; from storage.media.store import MediaSettings, make_media_store;"
        "make_media_store(MediaSettings(bucket='b')); sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
