"""Media as plain values: object keys, what may be uploaded, and as what an object is shown (contract §4).

Called by the stores and by ingest. Pure: randomness is passed in.

An object is shown as what the *extension of its key* says, never as what its uploader said: the
extension is ours, so an uploaded page cannot run on the origin that serves it.
"""

import re
from dataclasses import dataclass, field

from storage.model.errors import TooLarge, invalid

# What browsers show and cannot run. No SVG and no PDF: both carry scripts.
_SHOWN = {
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "webm": "video/webm",
}
_EXTENSION_OF = {shown: extension for extension, shown in _SHOWN.items()}
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?", re.ASCII)
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]{0,62}/[A-Za-z0-9][\w.+-]{0,126}", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]{1,8}", re.ASCII)
_FULL_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UploadInstructions:
    """How a client uploads one object, within `expires_in` seconds.

    `fields` (a form, the file last in it as `file`) or `headers` is empty, by the kind of store.
    """

    method: str
    url: str
    expires_in: int
    headers: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """As what an object is served."""

    content_type: str
    disposition: str


def media_key(owner: str, filename: str, *, content_type: str, random: str) -> str:
    """The key of a new object: the owner, `random` (32 hex digits), and an extension of ours.

    The extension says what the browser may do with it: that of a type that is shown, else the file
    name's if it is short and plain, else none.
    """
    folder = re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-") or "other"
    extension = _extension(filename, content_type=content_type.lower())
    return f"{folder}/{random}{extension}"


def is_key(key: str) -> bool:
    """Whether `key` has the form of `media_key`: safe as a path below a folder and in a URL."""
    return _KEY.fullmatch(key) is not None


def is_full_url(content: str) -> bool:
    """Whether a media message's content is a URL already (older data), not a key."""
    return _FULL_URL.match(content) is not None


def shown_as(key: str) -> Shown:
    """As what an object is served: an image, sound or video in place, anything else as a download."""
    name = key.rpartition("/")[2]
    content_type = _SHOWN.get(name.rpartition(".")[2])
    if content_type is not None:
        return Shown(content_type, "inline")
    safe_name = name if is_key(key) else "download"
    return Shown("application/octet-stream", f'attachment; filename="{safe_name}"')


def check_upload(content_type: str, size: int, *, max_bytes: int) -> None:
    """Refuse what no store takes: Invalid for a type or size that is none, TooLarge over `max_bytes`."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise invalid("content_type", "must be a media type such as image/png, without parameters")
    if size < 1:
        raise invalid("size", "must be the number of bytes, at least 1")
    if size > max_bytes:
        raise TooLarge(f"An upload may have up to {max_bytes} bytes.")


def _extension(filename: str, *, content_type: str) -> str:
    written = filename.rpartition(".")[2].lower() if "." in filename else ""
    if content_type in _EXTENSION_OF and _SHOWN.get(written) != content_type:
        return f".{_EXTENSION_OF[content_type]}"
    return f".{written}" if _EXTENSION.fullmatch(written) else ""
