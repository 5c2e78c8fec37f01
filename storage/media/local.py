"""Media in a folder of this machine, behind signed URLs: the store without S3 (contract §4).

Ingest's media routes serve the URLs made here and call `verify` first. A URL is good for one method on
one key until it expires; an upload also for one size and type, and one object is never written twice.
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

from storage.model.errors import InConflict, NotAllowed, NotFound, TooLarge, invalid
from storage.model.media import (
    UploadInstructions,
    check_upload,
    choose_headers,
    is_full_url,
    is_key,
    signing_instant,
)

OBJECTS_PATH = "/api/v1/media/objects"

# Should a browser ever take an object for a page, it still runs nothing and is of no origin.
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
        """Nothing to do; the folder is made by the first upload."""

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """How to PUT the object; raises Invalid or TooLarge for what is not taken."""
        check_upload(content_type, size, max_bytes=self._max_bytes)
        url = self._signed("PUT", key, grant=Grant(size, content_type))
        return UploadInstructions(
            "PUT", url, self._lifetime, headers={"Content-Type": content_type}
        )

    def url(self, key: str, *, filename: str = "") -> str:
        """A URL to GET the object with; a full URL comes back unchanged.

        The same URL for a quarter of the settings' lifetime (`signing_instant`).
        """
        if is_full_url(key):
            return key
        return self._signed("GET", key, grant=Grant(filename=filename))

    async def has_object(self, key: str) -> bool:
        """Whether the object was uploaded, whole."""
        return is_key(key) and await asyncio.to_thread(self.path_of(key).is_file)

    def verify(self, method: str, key: str, *, query: Mapping[str, str]) -> Grant:
        """What the URL with these query parameters allows; raises NotAllowed unless it is ours and live.

        `method` is GET or PUT; a HEAD is judged as the GET it stands for.
        """
        expires, size = query.get("expires", ""), query.get("size", "0")
        grant = Grant(
            int(size) if _is_number(size) else 0, query.get("type", ""), query.get("name", "")
        )
        expected = self._signature(method, key, expires=expires, grant=grant)
        given = query.get("signature", "").encode("utf-8", "replace")
        is_form = is_key(key) and "\n" not in grant.content_type
        if not is_form or not hmac.compare_digest(expected.encode(), given):
            raise NotAllowed("The link's signature is not valid.")
        if not _is_number(expires) or int(expires) < self._clock():
            raise NotAllowed("The link has expired.")
        return grant

    def path_of(self, key: str) -> Path:
        """Where the object is or will be, always below the folder; raises NotFound for what is no key."""
        if not is_key(key):
            raise NotFound("No such object.")
        return self._folder / key

    def find_path(self, key: str) -> Path:
        """Where the object is; raises NotFound when it was never (completely) uploaded."""
        path = self.path_of(key)
        if not path.is_file():
            raise NotFound("No such object.")
        return path

    async def write(self, key: str, stream: AsyncIterable[bytes], *, grant: Grant) -> None:
        """Store exactly `grant.size` bytes: afterwards the object is there whole and durable, or not at all.

        Raises TooLarge as soon as there is more, Invalid when there is less, InConflict when the
        object is there already (a message may show it).
        """
        path = self.path_of(key)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        with _unfinished(path) as (file, unfinished):
            await _copy(stream, file, size=grant.size)
            await asyncio.to_thread(_finish, file, unfinished, final=path)

    def _signed(self, method: str, key: str, *, grant: Grant) -> str:
        now, lifetime = self._clock(), self._lifetime
        since = int(now) if method == "PUT" else signing_instant(now, lifetime)
        expires = str(since + lifetime)
        query = {"expires": expires}
        if method == "PUT":
            query |= {"size": str(grant.size), "type": grant.content_type}
        if grant.filename:
            query["name"] = grant.filename
        query["signature"] = self._signature(method, key, expires=expires, grant=grant)
        return f"{self._base}/{quote(key)}?{urlencode(query)}"

    def _signature(self, method: str, key: str, *, expires: str, grant: Grant) -> str:
        # Newlines cannot occur in a key or a type that passes, so no two grants are signed alike.
        signed = [method, key, expires, str(grant.size), grant.content_type]
        # A URL without a name is signed as it was before there were any: those given out stay good.
        text = "\n".join([*signed, grant.filename] if grant.filename else signed)
        return hmac.new(
            self._signing_key, text.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()


def build_headers(key: str, *, filename: str = "") -> dict[str, str]:
    """The headers of a GET, so that nothing uploaded can run on our origin."""
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
            raise TooLarge(f"The upload was announced with {size} bytes and has more.")
        await asyncio.to_thread(file.write, part)
    if written < size:
        raise invalid("size", f"The upload was announced with {size} bytes and has {written}.")


@contextmanager
def _unfinished(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    # In the same folder, so that giving it its name is atomic; no key has a name that starts with a dot.
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
        raise InConflict("The object has been uploaded already.") from error
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
