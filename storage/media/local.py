"""Media in a folder of this machine, behind signed URLs: the store without S3 (contract §4).

Ingest's media routes serve the URLs that are made here, and call `verify` first. A URL is valid for one method on one
key until it expires; that of an upload also for one size and type only. No object is written twice.
"""

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from storage.model.error_codes import ErrorCode
from storage.model.errors import (
    InConflict,
    NotAllowed,
    NotFound,
    TooLarge,
    TransientError,
    invalid,
)
from storage.model.media import (
    UploadInstructions,
    check_upload,
    choose_headers,
    compute_signing_instant,
    is_full_url,
    is_key,
)

OBJECTS_PATH = "/api/v1/media/objects"

# Even if a browser takes an object for a page, nothing in it runs and it has no origin.
_INERT = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"

# ASCII digits, and few enough for any size or instant there is.
_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed URL allows: an upload of exactly this size and type, or a download by this name."""

    size: int = 0
    content_type: str = ""
    filename: str = ""


class LocalStore:
    """A folder of objects. `public_url` is put before the URLs' path ("" gives relative URLs)."""

    def __init__(
        self,
        folder: Path,
        signing_key: str,
        *,
        public_url: str,
        url_lifetime: timedelta,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._signing_key = signing_key.encode()
        self._base = public_url.rstrip("/") + OBJECTS_PATH
        self._lifetime = int(url_lifetime.total_seconds())
        self._max_bytes = max_bytes
        self._clock = clock

    def prepare(self) -> None:
        """Make the folder, so that it is known where uploads lie; if that fails, the first upload says why."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """Make a URL to PUT the object with. Raises Invalid or TooLarge for what is not taken."""
        check_upload(content_type, size, max_bytes=self._max_bytes)
        url = self._sign_url("PUT", key, grant=Grant(size, content_type))
        return UploadInstructions(
            "PUT", url, self._lifetime, headers={"Content-Type": content_type}
        )

    def url(self, key: str, *, filename: str = "") -> str:
        """Make a URL to GET the object with; a full URL comes back unchanged.

        It is the same URL for a quarter of the settings' lifetime (`compute_signing_instant`).
        """
        if is_full_url(key):
            return key
        return self._sign_url("GET", key, grant=Grant(filename=filename))

    async def has_object(self, key: str) -> bool:
        """Whether the object was uploaded, whole."""
        return is_key(key) and await asyncio.to_thread(self.path_of(key).is_file)

    def delete(self, key: str) -> None:
        """Delete the object; one that is not there is no error.

        Raises TransientError on a machine that does not have the folder: nothing would be deleted there.
        """
        if not self._folder.is_dir():
            raise TransientError(
                "The folder of uploads is not on this machine, so none is deleted."
            )
        if is_key(key):
            self.path_of(key).unlink(missing_ok=True)

    def verify(self, method: str, key: str, *, query: Mapping[str, str]) -> Grant:
        """Check the query parameters of a URL, and tell what it allows. `method` is GET (also for a HEAD) or PUT.

        Raises NotAllowed unless we signed the URL and it has not expired.
        """
        expires, size = query.get("expires", ""), query.get("size", "0")
        grant = Grant(
            int(size) if _is_number(size) else 0, query.get("type", ""), query.get("name", "")
        )
        expected = self._compute_signature(method, key, expires=expires, grant=grant)
        given = query.get("signature", "").encode("utf-8", "replace")
        is_form = is_key(key) and "\n" not in grant.content_type
        if not is_form or not hmac.compare_digest(expected.encode(), given):
            raise NotAllowed("The link's signature is not valid.", code=ErrorCode.LINK_NOT_VALID)
        if not _is_number(expires) or int(expires) < self._clock():
            raise NotAllowed("The link has expired.", code=ErrorCode.LINK_EXPIRED)
        return grant

    def path_of(self, key: str) -> Path:
        """Where the object is or will be, always below the folder. Raises NotFound if `key` has not the form of a key."""
        if not is_key(key):
            raise NotFound("No such object.", code=ErrorCode.UNKNOWN_OBJECT)
        return self._folder / key

    def find_path(self, key: str) -> Path:
        """Where the object is. Raises NotFound when it was never completely uploaded."""
        path = self.path_of(key)
        if not path.is_file():
            raise NotFound("No such object.", code=ErrorCode.UNKNOWN_OBJECT)
        return path

    async def write(self, key: str, stream: AsyncIterable[bytes], *, grant: Grant) -> None:
        """Store exactly `grant.size` bytes: afterwards the object is there whole and durable, or not at all.

        Raises TooLarge as soon as there is more, Invalid when there is less, InConflict when the
        object is there already (a message may show it).
        """
        path = self.path_of(key)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        with _open_unfinished(path) as (file, unfinished):
            await _copy(stream, file, size=grant.size)
            await asyncio.to_thread(_finish, file, unfinished, final=path)

    def _sign_url(self, method: str, key: str, *, grant: Grant) -> str:
        now, lifetime = self._clock(), self._lifetime
        since = int(now) if method == "PUT" else compute_signing_instant(now, lifetime)
        expires = str(since + lifetime)
        query = {"expires": expires}
        if method == "PUT":
            query |= {"size": str(grant.size), "type": grant.content_type}
        if grant.filename:
            query["name"] = grant.filename
        query["signature"] = self._compute_signature(method, key, expires=expires, grant=grant)
        return f"{self._base}/{quote(key)}?{urlencode(query)}"

    def _compute_signature(self, method: str, key: str, *, expires: str, grant: Grant) -> str:
        # No key or type has a newline (`verify` checks it), so two different grants never have the same text.
        signed = [method, key, expires, str(grant.size), grant.content_type]
        # Without a name the text is the same as before there were names: URLs that were given out then stay valid.
        text = "\n".join([*signed, grant.filename] if grant.filename else signed)
        return hmac.new(
            self._signing_key, text.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()


def build_headers(key: str, *, filename: str = "") -> dict[str, str]:
    """The headers of an object's answer: nothing that was uploaded can run on our origin."""
    shown = choose_headers(key, filename)
    return {
        "Content-Type": shown.content_type,
        "Content-Disposition": shown.disposition,
        "Content-Security-Policy": _INERT,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600, immutable",
    }


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


async def _copy(stream: AsyncIterable[bytes], file: BinaryIO, *, size: int) -> None:
    written = 0
    async for part in stream:
        written += len(part)
        if written > size:
            raise TooLarge(
                f"The upload was announced with {size} bytes and has more.",
                code=ErrorCode.UPLOAD_TOO_LARGE,
            )
        await asyncio.to_thread(file.write, part)
    if written < size:
        raise invalid(
            "size",
            f"The upload was announced with {size} bytes and has {written}.",
            code=ErrorCode.UPLOAD_INCOMPLETE,
        )


@contextmanager
def _open_unfinished(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    # In the same folder, so that it gets its final name atomically. No key has a name that starts with a dot.
    unfinished = path.with_name(f".{secrets.token_hex(16)}.part")
    with unfinished.open("xb") as file:
        try:
            yield file, unfinished
        finally:
            with suppress(FileNotFoundError):
                unfinished.unlink()


def _finish(file: BinaryIO, unfinished: Path, *, final: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    try:
        # A link, not a rename: it refuses to replace what is there.
        os.link(unfinished, final)
    except FileExistsError as error:
        raise InConflict(
            "The object has been uploaded already.", code=ErrorCode.ALREADY_UPLOADED
        ) from error
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
