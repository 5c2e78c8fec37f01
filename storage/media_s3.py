"""Media in an S3 bucket: clients talk to it directly, with URLs and forms that we sign (contract §4).

Signing asks no server. boto3 is imported when the first URL is signed: it costs a process some 100 ms
and 30 MB that one with a local store need not pay.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from cachetools import TTLCache

from storage.model.errors import TryLater
from storage.model.media import UploadInstructions, check_upload, is_full_url, shown_as

Addressing = Literal["path", "virtual"]

# After a failure nothing is signed for a while: looking for credentials that are gone takes boto3 seconds,
# each time, and whoever shows or publishes a hundred images would wait for each.
_REST_SECONDS = 5.0

# Signing a URL takes boto3 0.4 ms: a page of a history with 100 images would hold the loop for 40.
_REMEMBERED = 20_000


_CANNOT_SIGN = "Media URLs cannot be signed at the moment."


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the bucket is and who may sign. `addressing`: `path` or `virtual` (as a host name)."""

    name: str
    region: str
    endpoint_url: str | None
    access_key_id: str | None
    secret_access_key: str | None
    addressing: Addressing


class S3Store:
    """A bucket of objects. Objects are shown as their key's extension says, whatever type they have.

    A URL is given again for a quarter of its life (so that clients can cache what it shows): it works
    for at least three quarters of `url_lifetime`.
    """

    def __init__(self, bucket: Bucket, *, url_lifetime: timedelta, max_bytes: int) -> None:
        self._bucket = bucket
        self._lifetime = int(url_lifetime.total_seconds())
        self._max_bytes = max_bytes
        self._made: Any = None
        self._making = threading.Lock()
        self._rests_until = 0.0
        lifetime = url_lifetime.total_seconds()
        self._urls: TTLCache[str, str] = TTLCache(_REMEMBERED, lifetime / 4)
        # TTLCache drops what is old whenever it is touched, and threads may touch it at once.
        self._remembering = threading.Lock()

    def prepare(self) -> None:
        """Make the client now; what blocks for some 100 ms then does not do so in a request."""
        self._client()

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """A form to POST: the bucket takes exactly this key, size and type with it, until it expires.

        Raises Invalid or TooLarge for what is not taken.
        """
        check_upload(content_type, size, max_bytes=self._max_bytes)
        with self._signing() as client:
            form = client.generate_presigned_post(
                Bucket=self._bucket.name,
                Key=key,
                Fields={"Content-Type": content_type},
                Conditions=[
                    {"Content-Type": content_type},
                    ["content-length-range", size, size],
                ],
                ExpiresIn=self._lifetime,
            )
        return UploadInstructions("POST", form["url"], self._lifetime, fields=dict(form["fields"]))

    def url(self, key: str) -> str:
        """A URL to GET the object with; a full URL comes back unchanged."""
        if is_full_url(key):
            return key
        with self._remembering:
            known = self._urls.get(key)
        if known is not None:
            return known
        made = self._signed(key)
        with self._remembering:
            self._urls[key] = made
        return made

    def _signed(self, key: str) -> str:
        shown = shown_as(key)
        parameters: Mapping[str, str] = {
            "Bucket": self._bucket.name,
            "Key": key,
            "ResponseContentType": shown.content_type,
            "ResponseContentDisposition": shown.disposition,
        }
        with self._signing() as client:
            url = client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=self._lifetime
            )
        return str(url)

    @contextmanager
    def _signing(self) -> Iterator[Any]:
        """The client. What it raises when it cannot sign (its credentials are gone) becomes TryLater.

        Then it is made anew next time: credentials that come back are found.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        if time.monotonic() < self._rests_until:
            raise TryLater(_CANNOT_SIGN)
        try:
            yield self._client()
        except (BotoCoreError, ClientError) as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            with self._making:
                self._made = None
            raise TryLater(f"{_CANNOT_SIGN} ({type(error).__name__})") from error

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = _client_of(self._bucket)
            return self._made


def _client_of(bucket: Bucket) -> Any:
    import boto3  # noqa: PLC0415 (slow to import)
    from botocore.config import Config  # noqa: PLC0415

    # A session of our own: boto3's default one is shared and not safe to make clients with in threads.
    return boto3.session.Session().client(
        "s3",
        region_name=bucket.region,
        endpoint_url=bucket.endpoint_url,
        aws_access_key_id=bucket.access_key_id,
        aws_secret_access_key=bucket.secret_access_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": bucket.addressing}),
    )
