"""Media in an S3 bucket: clients talk to it directly, with URLs and forms that we sign (contract §4).

Signing asks no server. boto3 is imported when the first URL is signed: its time and
memory are nothing that a process with a local store need pay (docs/decisions/0028-media-stores.md).
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

from storage.media.bucket import Bucket, BucketTools
from storage.model.errors import TransientError
from storage.model.media import (
    UploadInstructions,
    check_upload,
    choose_headers,
    is_full_url,
    signing_instant,
)

# After a failure nothing is signed for a while: looking for credentials that are gone takes boto3 seconds,
# each time, and whoever shows or publishes a hundred images would wait for each.
_REST_SECONDS = 5.0

# Signing takes botocore long enough for a page of a hundred images to hold the loop.
_REMEMBERED = 20_000
# Threads that ask the bucket, and how long a send waits for one of them and for its answer. They are not the
# loop's own: a bucket that hangs must not hold up what else the process does in threads.
_ASKING = 8
_ASK_SECONDS = 4.0
# What is there stays there, but for a bucket's own rules of how long it keeps things.
_THERE_SECONDS = 60.0
# What a bucket says of an object that is not there: 403 to those who may not list it.
_ABSENT = frozenset({"404", "NoSuchKey", "403", "AccessDenied"})

_log = logging.getLogger(__name__)
_CANNOT_SIGN = "Media URLs cannot be signed at the moment."


class S3Store:
    """A bucket of objects. Objects are shown as their key's extension says, whatever type they have.

    The URL of an object is the same for a quarter of its life, whoever makes it (`signing_instant`).
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
        self._made: BucketTools | None = None
        self._making = threading.Lock()
        self._rests_until = 0.0
        self._urls: LRUCache[tuple[str, str, int], str] = LRUCache(_REMEMBERED)
        # An LRUCache changes whenever it is touched, and threads may touch it at once.
        self._remembering = threading.Lock()
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="media")
        # Key → whether it is there, and when that was said. "No" holds for those only who asked before.
        self._answers: TTLCache[str, tuple[bool, float]] = TTLCache(_REMEMBERED, _THERE_SECONDS)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def prepare(self) -> None:
        """Make the client now; what blocks for long then does not do so in a request."""
        self._tools()

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """A form to POST: the bucket takes exactly this key, size and type with it, until it expires.

        Raises Invalid or TooLarge for what is not taken, TransientError without credentials to sign with.
        """
        check_upload(content_type, size, max_bytes=self._max_bytes)
        with self._signing() as tools:
            tools.credentials()  # botocore itself fails with an AttributeError without them
            form = tools.client.generate_presigned_post(
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
        """A URL to GET the object with; a full URL comes back unchanged.

        Raises TransientError without credentials to sign with.
        """
        if is_full_url(key):
            return key
        since = signing_instant(self._clock(), self._lifetime)
        asked = (key, filename, since)
        with self._remembering:
            known = self._urls.get(asked)
        if known is not None:
            return known
        made = self._signed(key, filename, since=since)
        with self._remembering:
            self._urls[asked] = made
        return made

    async def has_object(self, key: str) -> bool:
        """Whether the object was uploaded, whole. Raises TransientError when the bucket cannot say."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            # One object sent to five hundred people at once is asked for once.
            async with asyncio.timeout(_ASK_SECONDS), self._turns.setdefault(key, asyncio.Lock()):
                is_there, at = self._answers.get(key, (False, -1.0))
                if not is_there and at < began:
                    is_there = await loop.run_in_executor(self._asking, self._ask, key)
                    self._answers[key] = is_there, loop.time()
                return is_there
        except TimeoutError as error:
            raise TransientError("The media store does not answer.") from error

    def _ask(self, key: str) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        with self._signing() as tools:
            tools.credentials()
        try:
            tools.inside.head_object(Bucket=self._bucket.name, Key=key)
        except (BotoCoreError, ClientError) as error:
            response = error.response if isinstance(error, ClientError) else {}
            if response.get("Error", {}).get("Code") in _ABSENT:
                return False
            # No credentials, no connection, 5xx: an operator's matter, whose reason is in the log.
            _log.warning("The bucket cannot be asked for an object: %s", error)
            raise TransientError("The media store cannot be asked now.") from error
        return True

    def _signed(self, key: str, filename: str, *, since: int) -> str:
        shown = choose_headers(key, filename)
        query = {
            "response-content-type": shown.content_type,
            "response-content-disposition": shown.disposition,
        }
        with self._signing() as tools:
            url = f"{tools.objects_url}{quote(key, safe='/~')}?{urlencode(query, quote_via=quote)}"
            return tools.sign(url, since=since, lifetime=self._lifetime)

    @contextmanager
    def _signing(self) -> Iterator[BucketTools]:
        """The tools. What they raise when they cannot sign (their credentials are gone) becomes TransientError.

        Then they are made anew next time: credentials that come back are found.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

        if time.monotonic() < self._rests_until:
            raise TransientError(_CANNOT_SIGN)
        try:
            yield self._tools()
        except (BotoCoreError, ClientError) as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            with self._making:
                self._made = None
            raise TransientError(f"{_CANNOT_SIGN} ({type(error).__name__})") from error

    def _tools(self) -> BucketTools:
        with self._making:
            if self._made is None:
                self._made = BucketTools(
                    self._bucket, ask_seconds=_ASK_SECONDS, connections=_ASKING
                )
            return self._made
