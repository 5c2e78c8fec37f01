"""Action links: the button of a message, and where single sign-on may send a browser (contract §2, §4, §6).

Called by ingest. Pure: it knows nothing of the caller, of the validity of tickets, or of what an app has stored.

A URL is matched against one narrow form, instead of being parsed and then searched for tricks. A URL that browsers
(WHATWG URL) and urllib would read differently does not match, and so is refused.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import parse_qsl, quote

JUMP_PATH = "/api/v1/simple/sso/jump"

# Left out on purpose: userinfo, IPv6 and percent-encoded or non-ASCII hosts (IDNA has several
# readings; an app writes punycode), a trailing dot (another origin than without it), an empty port,
# a path that starts with `//` (leads off the host where an app redirects to the path alone), and an
# `@` where no path ends the authority first (RFC 2396 parsers took it for userinfo).
_ABSOLUTE = re.compile(
    r"https?://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?!/)[^\\]*|[?#][^\\@]*)?",
    re.IGNORECASE | re.ASCII,
)
_ENTRY = re.compile(
    r"(?P<any>\*\.)?(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
# WHATWG reads a host as an IPv4 address when its last label is a number, in any base.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ASCII = string.punctuation
_MAX_HOST, _MAX_LABEL = 253, 63  # RFC 1035 §2.3.4
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class JumpLink:
    """The parts of one of our own jump links. The target is as it was written: nothing has checked it yet."""

    app_id: str
    target_url: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A host in lower case, and its port if one is written. `subdomains`: all hosts below it, and not itself."""

    host: str
    port: int | None
    subdomains: bool = False

    def covers(self, other: "_Place") -> bool:
        if self.port is not None and self.port != other.port:
            return False
        if self.subdomains:
            return other.host.endswith(f".{self.host}") and not _is_address(other.host)
        return other.host == self.host


def build_jump_link(app_id: str, target_url: str) -> str:
    """The `action_url` of a button that signs a person on to `app_id` and goes on to `target_url` (contract §2).

    `parse_jump_link` gives both back unchanged. Check the target first, with `is_allowed_target`.
    """
    return f"{JUMP_PATH}?app_id={quote(app_id, safe='')}&redirect_to={quote(target_url, safe='')}"


def parse_jump_link(url: str) -> JumpLink | None:
    """The parts of our own jump link; None for anything else.

    Only the relative form is ours, because a host in front of it may be another deployment's. Each of the two
    parameters must be there once, in any order; others are ignored, as the jump route ignores them.
    """
    path, separator, query = url.partition("?")
    if path != JUMP_PATH or not separator or not _is_plain(url) or "#" in url:
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        return None
    app_ids = [value for name, value in pairs if name == "app_id"]
    targets = [value for name, value in pairs if name == "redirect_to"]
    if len(app_ids) != 1 or len(targets) != 1 or not app_ids[0] or not targets[0]:
        return None
    return JumpLink(app_ids[0], targets[0])


def is_allowed_target(url: str, *, callback_url: str, redirect_hosts: Iterable[str]) -> bool:
    """Whether an app's button may lead to `url`: absolute http(s), on a host the app has (contract §2).

    The app has its callback's host and its `redirect_hosts`: `host`, `host:port`, `*.domain` (every
    name below the domain, not the domain itself) or `*.domain:port`. Without a port, and for the callback's host,
    every port is allowed: the contract speaks of hosts, and a host shares its cookies across ports.
    """
    target = _parse_place(url)
    if target is None:
        return False
    callback = _parse_place(callback_url)
    if callback is not None and callback.host == target.host:
        return True
    entries = (_parse_entry(text) for text in redirect_hosts)
    return any(entry is not None and entry.covers(target) for entry in entries)


def list_allowed_hosts(*, callback_url: str, redirect_hosts: Iterable[str]) -> list[str]:
    """The hosts that `is_allowed_target` goes by, for a person to read: the callback's first, each once."""
    callback = _parse_place(callback_url)
    return list(dict.fromkeys([*([callback.host] if callback else []), *redirect_hosts]))


def is_redirect_host(text: str) -> bool:
    """Whether `text` has the form of an entry in `redirect_hosts`. An entry of another form never matches."""
    return _parse_entry(text) is not None


def is_absolute_url(url: str) -> bool:
    """Whether `url` is an absolute http(s) URL that everyone reads alike, on whatever host."""
    return _parse_place(url) is not None


def is_button_url(url: str) -> bool:
    """Whether a sender may put `url` on a button: absolute http(s), or our jump link (contract §2)."""
    return is_absolute_url(url) or parse_jump_link(url) is not None


def build_callback_link(callback_url: str, *, ticket: str, next: str | None = None) -> str:
    """Where a browser goes to sign on: the app's callback with the ticket and, unless None, the page to go on to.

    The callback keeps its own query and fragment; the ticket is added to the query. The link is ASCII, as a header
    must be: other characters are percent-encoded (RFC 3987 §3.1).
    """
    front, hash_sign, fragment = quote(callback_url, safe=_ASCII).partition("#")
    joint = "" if front.endswith(("?", "&")) else "&" if "?" in front else "?"
    going_on = "" if next is None else f"&next={quote(next, safe='')}"
    return f"{front}{joint}ticket={quote(ticket, safe='')}{going_on}{hash_sign}{fragment}"


def _parse_place(url: str) -> _Place | None:
    match = _ABSOLUTE.fullmatch(url)
    if match is None or not _is_plain(url):
        return None
    return _make_place(match["host"].lower(), match["port"])


def _parse_entry(text: str) -> _Place | None:
    match = _ENTRY.fullmatch(_punycode(text.lower()))
    if match is None:
        return None
    return _make_place(match["host"], match["port"], subdomains=bool(match["any"]))


def _punycode(text: str) -> str:
    # An operator may write 例子.cn, though a target may not. Only what survives the way back: the
    # codec is IDNA 2003, which makes another domain of ß, and browsers no longer do.
    if text.isascii():
        return text
    try:
        encoded = text.encode("idna")
        return encoded.decode() if encoded.decode("idna") == text else ""
    except UnicodeError:
        return ""


def _make_place(host: str, port: str | None, *, subdomains: bool = False) -> _Place | None:
    labels = host.split(".")
    if len(host) > _MAX_HOST or max(map(len, labels)) > _MAX_LABEL:
        return None
    if port is not None and not 0 < int(port) <= _MAX_PORT:
        return None
    if _NUMBER.fullmatch(labels[-1]) and (subdomains or not _is_address(host)):
        return None
    return _Place(host, None if port is None else int(port), subdomains)


def _is_address(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False


def _is_plain(url: str) -> bool:
    # Browsers strip tabs and newlines from inside a URL and spaces from its ends; format characters
    # (zero width, text direction) show one thing and mean another; a surrogate cannot be encoded.
    return url.isprintable() and " " not in url and "\\" not in url
