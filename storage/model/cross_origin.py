"""Which pages of other origins may call us, and the headers that tell their browsers so (contract §0, Origins). Pure.

One list for REST, media and sockets: ingest and the gateway use it, and `ops/http` for what is answered before them.
Cookies are never let in (no Access-Control-Allow-Credentials): who calls shows a token or a signature
(docs/decisions/0036-codes-and-origins.md). Named as the Fetch standard names things.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

Headers = list[tuple[bytes, bytes]]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id, X-App-Id, X-Timestamp, X-Sign, Range"
# What pages may read of an answer, beside what any page may.
EXPOSED = (
    "X-Request-Id, Retry-After, Idempotency-Replay, Preference-Applied, Location, Link, Deprecation"
)
# For which a browser need not ask again. Chromium remembers it for no longer than this.
PREFLIGHT_SECONDS = 7200
# `:*` would let in whatever listens on another port of a host, so it is for one's own machine only.
_OWN_MACHINE = ("localhost", "127.0.0.1", "[::1]")
_ANY_PORT = ":*"
# Of the pages that a developer's own machine serves.
LOOPBACK_ORIGINS = tuple(
    f"{scheme}://{host}{_ANY_PORT}" for scheme in ("http", "https") for host in _OWN_MACHINE
)

# Scheme, host and port as a browser writes them: no path, no userinfo, no capitals, ASCII. Apps have schemes too
# (`capacitor://localhost`).
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5}|:\*)?"
)
_USUAL_PORTS = {"http": ":80", "https": ":443"}
# An answer that one origin may read and another may not is not the same answer.
VARY = (b"vary", b"Origin")
# What the 204 to a preflight has beside the headers of every answer.
PREFLIGHT_HEADERS: Headers = [
    (b"access-control-allow-methods", METHODS.encode()),
    (b"access-control-allow-headers", REQUEST_HEADERS.encode()),
    (b"access-control-max-age", b"%d" % PREFLIGHT_SECONDS),
]


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """The origins whose pages may call: `exact` ones, and those that may have `any_port` (`http://localhost`)."""

    exact: frozenset[bytes] = frozenset()
    any_port: frozenset[bytes] = frozenset()

    def allow(self, origin: bytes) -> bool:
        """Whether pages of `origin`, as its browser wrote it, may call us."""
        if origin in self.exact:
            return True
        if not self.any_port:
            return False
        scheme, _, rest = origin.partition(b"://")
        host, _, port = rest.rpartition(b":")
        without_port = rest if not host or not port.isdigit() else host
        return b"%b://%b" % (scheme, without_port) in self.any_port

    def build_headers(self, origin: bytes) -> Headers:
        """The headers of an answer to a request from `origin`; none but `Vary` if its pages may not call."""
        if not self.allow(origin):
            return [VARY]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED.encode()),
            VARY,
        ]


NO_ORIGINS = AllowedOrigins()


def parse_origins(texts: Iterable[str]) -> AllowedOrigins:
    """The allowed origins that these texts list. Raises ValueError with a sentence for one that is no origin."""
    exact: set[bytes] = set()
    any_port: set[bytes] = set()
    for text in texts:
        scheme, host, port = _parse_origin(text)
        if port == _ANY_PORT:
            any_port.add(f"{scheme}://{host}".encode())
        else:
            exact.add(f"{scheme}://{host}{port}".encode())
    return AllowedOrigins(frozenset(exact), frozenset(any_port))


def is_same_host(origin: bytes, host: bytes) -> bool:
    """Whether a page of `origin` was served by the host that its request's header `Host` names: then it is ours."""
    try:
        scheme, name, port = _parse_origin(origin.decode("ascii"))
    except ValueError:
        return False
    usual = _USUAL_PORTS.get(scheme, "")
    named = host.decode("latin-1").lower()
    return named in {f"{name}{port}", f"{name}{port or usual}"}


def _parse_origin(text: str) -> tuple[str, str, str]:
    """Scheme, host and port (with its colon, "" for the scheme's usual one) of an origin."""
    if text in {"*", "null"}:
        raise ValueError(f"{text} would let in every page; list the origins of yours")
    if not text.isascii():
        raise ValueError(f"{text} must be written as browsers send it, in punycode")
    match = _ORIGIN.fullmatch(text.lower())
    if match is None:
        raise ValueError(_describe_malformed(text))
    scheme, host, port = match["scheme"], match["host"], match["port"] or ""
    if port == _ANY_PORT and host not in _OWN_MACHINE:
        raise ValueError(f"{text}: any port (:*) is for localhost, 127.0.0.1 and [::1] only")
    return scheme, host, "" if port == _USUAL_PORTS.get(scheme) else port


def _describe_malformed(text: str) -> str:
    shape = "scheme://host or scheme://host:port, such as https://app.example.com"
    if "://" in text and urlsplit(text).path:
        return f"{text} has a path or a slash at the end; an origin is only {shape}"
    return f"{text} is no origin; it must be {shape}"
