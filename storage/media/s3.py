"""Media in an S3 bucket: clients talk to it directly, with URLs and forms that we sign (contract §4).

Signing asks no server. boto3 is imported when the first URL is signed, because it is slow to import and large
(docs/decisions/0028-media-stores.md).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote, urlencode
from weakref import WeakValueDictionary

from cachetools import LRUCache, TTLCache

from storage.media.bucket import Bucket, BucketClient
from storage.model.error_codes import ErrorCode
from storage.model.errors import TransientError
from storage.model.media import (
    UploadInstructions,
    check_upload,
    choose_headers,
    compute_signing_instant,
    is_full_url,
)

# After a failure nothing is signed for a while: each time boto3 takes seconds to look for credentials that are gone,
# and a page of a hundred images would wait for each.
_REST_SECONDS = 5.0

# Signed URLs that are kept: botocore signs so slowly that a page of a hundred images would hold the event loop.
_CACHED = 20_000
# Threads that ask the bucket, and how long a send waits for one of them and for its answer. They are not those of the
# event loop: a bucket that hangs must not delay what else the process does in threads.
_ASKING_THREADS = 8
_ASK_SECONDS = 4.0
# How long an object that was found counts as there. A bucket may delete by rules of its own.
_FOUND_SECONDS = 60.0
# What a bucket answers when an object is not there: 403 if we may not list the bucket.
_ABSENT = frozenset({"404", "NoSuchKey", "403", "AccessDenied"})

_log = logging.getLogger(__name__)
_CANNOT_SIGN = "Media URLs cannot be signed at the moment."


class S3Store:
    """A bucket of objects. The extension of its key says how an object is served, whatever type the bucket has for it.

    The URL of an object is the same for a quarter of its lifetime, in every process (`compute_signing_instant`).
    """

    def __init__(
        self,
        bucket: Bucket,
        *,
        url_lifetime: timedelta,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bucket = bucket
        self._lifetime = int(url_lifetime.total_seconds())
        self._max_bytes = max_bytes
        self._clock = clock
        self._client: BucketClient | None = None
        self._client_lock = threading.Lock()
        self._rests_until = 0.0
        self._urls: LRUCache[tuple[str, str, int], str] = LRUCache(_CACHED)
        # An LRUCache changes even when it is read, and several threads may read it at once.
        self._urls_lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_ASKING_THREADS, thread_name_prefix="media")
        # Key → whether the object is there, and when the bucket said so. A "no" only answers those who asked before it.
        self._found: TTLCache[str, tuple[bool, float]] = TTLCache(_CACHED, _FOUND_SECONDS)
        self._key_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def prepare(self) -> None:
        """Make the client now, so that no request waits for boto3 to be imported."""
        self._get_client()

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """Make a form to POST the object with; until it expires the bucket takes exactly this key, size and type with it.

        Raises Invalid or TooLarge for what is not taken, TransientError without credentials to sign with.
        """
        check_upload(content_type, size, max_bytes=self._max_bytes)
        with self._lend_client() as client:
            client.find_credentials()  # botocore itself fails with an AttributeError without them
            form = client.signing_client.generate_presigned_post(
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

    def url(self, key: str, *, filename: str = "") -> str:
        """Make a URL to GET the object with; a full URL comes back unchanged.

        Raises TransientError without credentials to sign with.
        """
        if is_full_url(key):
            return key
        since = compute_signing_instant(self._clock(), self._lifetime)
        asked = (key, filename, since)
        with self._urls_lock:
            known = self._urls.get(asked)
        if known is not None:
            return known
        made = self._sign(key, filename, since=since)
        with self._urls_lock:
            self._urls[asked] = made
        return made

    async def has_object(self, key: str) -> bool:
        """Whether the object was uploaded, whole. Raises TransientError when the bucket cannot say."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            # When many send the same object at once, the bucket is asked once.
            async with (
                asyncio.timeout(_ASK_SECONDS),
                self._key_locks.setdefault(key, asyncio.Lock()),
            ):
                is_there, at = self._found.get(key, (False, -1.0))
                if not is_there and at < began:
                    is_there = await loop.run_in_executor(self._threads, self._ask, key)
                    self._found[key] = is_there, loop.time()
                return is_there
        except TimeoutError as error:
            raise TransientError(
                "The media store does not answer.", code=ErrorCode.MEDIA_STORE_AWAY
            ) from error

    def _ask(self, key: str) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        with self._lend_client() as client:
            client.find_credentials()
        try:
            client.asking_client.head_object(Bucket=self._bucket.name, Key=key)
        except (BotoCoreError, ClientError) as error:
            response = error.response if isinstance(error, ClientError) else {}
            if response.get("Error", {}).get("Code") in _ABSENT:
                return False
            # No credentials, no connection, 5xx: the reason is for an operator, and so in the log only.
            _log.warning("The bucket cannot be asked for an object: %s", error)
            raise TransientError(
                "The media store cannot be asked now.", code=ErrorCode.MEDIA_STORE_AWAY
            ) from error
        return True

    def delete(self, key: str) -> None:
        """Delete the object; one that is not there is no error. It blocks. Raises TransientError when the bucket cannot."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        with self._lend_client() as client:
            client.find_credentials()
        try:
            client.asking_client.delete_object(Bucket=self._bucket.name, Key=key)
        except (BotoCoreError, ClientError) as error:
            _log.warning("The bucket does not delete an object: %s", error)
            raise TransientError("The media store does not delete an object now.") from error
        self._found.pop(key, None)

    def _sign(self, key: str, filename: str, *, since: int) -> str:
        shown = choose_headers(key, filename)
        query = {
            "response-content-type": shown.content_type,
            "response-content-disposition": shown.disposition,
        }
        with self._lend_client() as client:
            url = f"{client.objects_url}{quote(key, safe='/~')}?{urlencode(query, quote_via=quote)}"
            return client.sign(url, since=since, lifetime=self._lifetime)

    @contextmanager
    def _lend_client(self) -> Iterator[BucketClient]:
        """Lend the client. What it raises when it cannot sign (its credentials are gone) becomes TransientError.

        The client is made anew after that, so that it finds credentials that have come back.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        if time.monotonic() < self._rests_until:
            raise TransientError(_CANNOT_SIGN, code=ErrorCode.MEDIA_STORE_AWAY)
        try:
            yield self._get_client()
        except (BotoCoreError, ClientError) as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            with self._client_lock:
                self._client = None
            raise TransientError(
                f"{_CANNOT_SIGN} ({type(error).__name__})", code=ErrorCode.MEDIA_STORE_AWAY
            ) from error

    def _get_client(self) -> BucketClient:
        with self._client_lock:
            if self._client is None:
                self._client = BucketClient(
                    self._bucket, ask_seconds=_ASK_SECONDS, connections=_ASKING_THREADS
                )
            return self._client
