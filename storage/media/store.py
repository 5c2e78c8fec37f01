"""The media store of a deployment, and the keys of new objects (contract §4).

Used by ingest (uploads, and URLs in what is read) and workers (URLs in what is pushed). The two stores are `local.py`
and `s3.py`; their users know this module only, except ingest's media routes, which serve the local one.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, Protocol

from storage.media.bucket import Addressing, Bucket
from storage.media.local import LocalStore
from storage.media.s3 import S3Store
from storage.model.errors import InvalidSettings
from storage.model.media import UploadInstructions, build_key
from storage.setting_parsers import duration, one_of, whole_number
from storage.settings import setting


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Where uploads go: a bucket when one is named, else a folder of this machine."""

    bucket: str = setting(
        "CARILLON_S3_BUCKET",
        "",
        help="Bucket of uploaded media. Not set: media is kept in a folder of this machine.",
    )
    endpoint_url: str = setting(
        "CARILLON_S3_ENDPOINT_URL",
        "",
        help="URL at which clients reach the S3 service. Not set: Amazon's of the region.",
    )
    internal_url: str = setting(
        "CARILLON_S3_INTERNAL_URL",
        "",
        help="URL at which our own processes reach the S3 service, to see whether an upload is there. "
        "Not set: the clients' one.",
    )
    region: str = setting(
        "CARILLON_S3_REGION", "us-east-1", help="Region of the bucket; part of every signature."
    )
    access_key_id: str = setting(
        "CARILLON_S3_ACCESS_KEY_ID",
        "",
        help="Access key that signs URLs. Not set: found the way boto3 finds one (role, profile).",
    )
    secret_access_key: str = setting(
        "CARILLON_S3_SECRET_ACCESS_KEY", "", secret=True, help="Secret of the access key."
    )
    addressing: Literal["auto"] | Addressing = setting(
        "CARILLON_S3_ADDRESSING",
        "auto",
        parse=one_of("auto", "path", "virtual"),
        help="Where the bucket is in a URL. auto: the path with an endpoint URL, else the host name.",
    )
    signing_key: str = setting(
        "CARILLON_MEDIA_KEY",
        "",
        secret=True,
        help="Secret that signs the URLs of the local store; changing it ends all of them.",
    )
    media_folder: Path | None = setting(
        "CARILLON_MEDIA_DIR",
        None,
        parse=Path,
        help="Folder of the local store. Not set: `media` in the data folder.",
    )
    data_folder: Path = setting(
        "CARILLON_DATA_DIR",
        Path(".carillon"),
        parse=Path,
        help="Folder of the embedded servers' data, logs and locally stored media.",
    )
    public_url: str = setting(
        "CARILLON_PUBLIC_URL",
        "",
        help="Where clients reach the API, as https://host; put before URLs of the local store. "
        "Not set: those URLs are relative to the API's.",
    )
    url_lifetime: timedelta = setting(
        "CARILLON_MEDIA_URL_SECONDS",
        timedelta(hours=1),
        parse=duration(10, 7 * 86400),
        help="How long a media URL works (up to 7 days, S3's own limit).",
    )
    max_bytes: int = setting(
        "CARILLON_MEDIA_MAX_BYTES",
        100 * 1024 * 1024,
        parse=whole_number(1, 5 * 1024**3),
        help="Largest upload, in bytes (up to 5 GiB, S3's own limit for a form); over it 413.",
    )


class MediaStore(Protocol):
    """Where objects are stored. All but `delete` may be called from an event loop: only `has_object` asks a server, and waits for it."""

    def prepare(self) -> None:
        """Do now what would make the first call slow. It blocks: to be called in a thread, at the start of a process."""

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """Tell how a client uploads the object. Raises Invalid or TooLarge for what is not taken."""

    def url(self, key: str, *, filename: str = "") -> str:
        """Make a URL that shows the object for a while; a full http(s) URL (older data) comes back unchanged.

        `filename` is what a browser calls the object when it saves it.
        """

    async def has_object(self, key: str) -> bool:
        """Whether the object was uploaded, whole. Raises TransientError when the store cannot say."""

    def delete(self, key: str) -> None:
        """Delete the object; one that is not there is no error. It blocks. Raises TransientError when the store cannot."""


def make_media_store(settings: MediaSettings) -> MediaStore:
    """Make the store of these settings. Raises InvalidSettings when neither a bucket nor a signing key is set."""
    return _make_bucket_store(settings) if settings.bucket else _make_folder_store(settings)


def find_folder(settings: MediaSettings) -> Path:
    """The folder of the local store."""
    return settings.media_folder or settings.data_folder / "media"


def make_key(owner: str, filename: str, *, content_type: str = "") -> str:
    """Make a key that nobody can guess (128 random bits), for an object of `owner` (a `Caller.key`)."""
    random = secrets.token_hex(16)
    return build_key(owner, filename, content_type=content_type, random=random)


def _make_bucket_store(settings: MediaSettings) -> S3Store:
    return S3Store(
        describe_bucket(settings),
        url_lifetime=settings.url_lifetime,
        max_bytes=settings.max_bytes,
    )


def describe_bucket(settings: MediaSettings) -> Bucket:
    """Where the bucket of these settings is, and with which key."""
    by_default: Addressing = "path" if settings.endpoint_url else "virtual"
    return Bucket(
        name=settings.bucket,
        region=settings.region,
        endpoint_url=settings.endpoint_url or None,
        internal_url=settings.internal_url or None,
        access_key_id=settings.access_key_id or None,
        secret_access_key=settings.secret_access_key or None,
        addressing=by_default if settings.addressing == "auto" else settings.addressing,
    )


def _make_folder_store(settings: MediaSettings) -> LocalStore:
    if not settings.signing_key:
        raise InvalidSettings("CARILLON_MEDIA_KEY or CARILLON_S3_BUCKET must be set.")
    return LocalStore(
        find_folder(settings),
        settings.signing_key,
        public_url=settings.public_url,
        url_lifetime=settings.url_lifetime,
        max_bytes=settings.max_bytes,
    )
