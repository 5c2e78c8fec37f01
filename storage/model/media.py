"""Media as plain values: object keys, what may be uploaded, and how an object is served (contract §4).

Called by the stores and by ingest. Pure: randomness is passed in.

The extension in an object's key decides what it is served as, never what its uploader said. The extension is ours, so
an uploaded page cannot run on the origin that serves it.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from storage.model.error_codes import ErrorCode
from storage.model.errors import TooLarge, invalid

# What browsers show without running it. No SVG and no PDF: both can carry scripts.
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
# RFC 3986's characters, and those beyond ASCII that RFC 3987 and browsers take. No userinfo: it shows one
# host and leads to another. (No two branches take the same character: a URL is judged in one pass.)
_WEB_URL = re.compile(
    r"https?://(?:(?:[\w-]+\.)*[\w-]+\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#](?:[A-Za-z0-9_.~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2}|[^\x00-\x7f])*)?",
    re.IGNORECASE,
)

# What a browser sends for a file whose type it does not know is empty.
UNKNOWN_TYPE = "application/octet-stream"
_NAME_LENGTH = 255


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
class MediaObject:
    """An object that may be uploaded, or was: whose it is (`Caller.key`) and its name on their machine."""

    owner: str
    filename: str


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """The headers that say what an object is: Content-Type and Content-Disposition."""

    content_type: str
    disposition: str


def build_key(owner: str, filename: str, *, content_type: str, random: str) -> str:
    """Build the key of a new object: the owner, `random` (32 hex digits), and an extension of ours.

    The extension says what the browser may do with it: that of a type that is shown, else the file
    name's if it is short and plain, else none.
    """
    folder = re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-") or "other"
    extension = _extension(filename, content_type=content_type.lower())
    return f"{folder}/{random}{extension}"


def is_key(key: str) -> bool:
    """Whether `key` has the form of `build_key`: safe as a path below a folder and in a URL."""
    return _KEY.fullmatch(key) is not None


def is_full_url(content: str) -> bool:
    """Whether a media message's content is a URL already (older data), not a key."""
    return _FULL_URL.match(content) is not None


def is_web_url(content: str) -> bool:
    """Whether `content` is a well-formed absolute http(s) URL: nothing but a URL, and with a host."""
    if not _WEB_URL.fullmatch(content) or not content.isprintable():
        return False
    try:
        place = urlsplit(content)
        return bool(place.hostname) and place.port != 0
    except ValueError:
        return False


def is_media_type(content_type: str) -> bool:
    """Whether this is a media type and nothing more: no parameters."""
    return _CONTENT_TYPE.fullmatch(content_type) is not None


def strip_parameters(content_type: str) -> str:
    """The media type without its parameters: `audio/webm` of `audio/webm;codecs=opus`; UNKNOWN_TYPE of an empty one."""
    return content_type.partition(";")[0].strip(" \t").lower() or UNKNOWN_TYPE


def clean_filename(filename: str) -> str:
    """The name of a file as it may be shown: no folders, no invisible characters, up to 255 characters.

    Text-direction marks go too, because they show `exe.gpj` as `jpg.exe`. "" when nothing is left.
    """
    name = re.split(r"[/\\]", filename)[-1]
    visible = "".join(c for c in name if c.isprintable() or unicodedata.category(c) == "Zs")
    return visible.strip(" .")[:_NAME_LENGTH]


def compute_signing_instant(now: float, lifetime_seconds: int) -> int:
    """The instant as of which a URL of this lifetime is signed, in Unix seconds: `now`, rounded down.

    It is the same for a quarter of the lifetime, in every process. So the URL is the same too, clients can cache it,
    and it works for at least three quarters of its lifetime.
    """
    quarter = max(lifetime_seconds // 4, 1)
    return int(now // quarter) * quarter


def choose_headers(key: str, filename: str = "") -> ObjectHeaders:
    """The headers of an object: images, sound and video are shown in place, anything else is a download.

    `filename`, if there is one, is the name that a browser saves it under (RFC 6266).
    """
    name = key.rpartition("/")[2]
    own_name = f"; filename*=UTF-8''{quote(filename, safe='')}" if filename else ""
    content_type = _SHOWN.get(name.rpartition(".")[2])
    if content_type is not None:
        return ObjectHeaders(content_type, f"inline{own_name}")
    safe_name = name if is_key(key) else "download"
    return ObjectHeaders(UNKNOWN_TYPE, f'attachment; filename="{safe_name}"{own_name}')


def check_upload(content_type: str, size: int, *, max_bytes: int) -> None:
    """Check an upload before it is allowed: raises Invalid for a malformed type or size, TooLarge over `max_bytes`."""
    if not is_media_type(content_type):
        raise invalid("content_type", "must be a media type such as image/png")
    if size < 1:
        raise invalid("size", "must be the number of bytes, at least 1")
    if size > max_bytes:
        raise TooLarge(
            f"An upload may have up to {max_bytes} bytes.", code=ErrorCode.UPLOAD_TOO_LARGE
        )


def _extension(filename: str, *, content_type: str) -> str:
    written = filename.rpartition(".")[2].lower() if "." in filename else ""
    if content_type in _EXTENSION_OF and _SHOWN.get(written) != content_type:
        return f".{_EXTENSION_OF[content_type]}"
    return f".{written}" if _EXTENSION.fullmatch(written) else ""
