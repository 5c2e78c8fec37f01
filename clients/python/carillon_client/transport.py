"""Between this package's requests and httpx's: what both drivers do in the same way."""

from typing import Any
from urllib.parse import urlsplit

import httpx

from carillon_client.errors import CarillonError, NoAnswerError
from carillon_client.exchange import Request, Response

API = "/api/v1"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def make_api_url(base_url: str) -> str:
    """The URL below which the API is; `base_url` with or without `/api/v1`. Raises ValueError if it is not one of http(s)."""
    trimmed = base_url.rstrip("/").removesuffix(API)
    if urlsplit(trimmed).scheme not in {"http", "https"} or not urlsplit(trimmed).hostname:
        raise ValueError(f"{base_url!r} is not an http(s) URL.")
    return trimmed + API


def is_loopback(url: str) -> bool:
    """Whether the host in `url` is this machine, by a name or address of loopback: no proxy is on the way to it."""
    return urlsplit(url).hostname in _LOOPBACK


def make_options(request: Request, *, url: str, auth: httpx.Auth, timeout: float) -> dict[str, Any]:
    """The arguments of `httpx.Client.request`. What goes to somewhere else carries no credentials."""
    is_ours = request.path.startswith("/")
    options: dict[str, Any] = {
        "method": request.method,
        "url": url + request.path if is_ours else request.path,
        "headers": dict(request.headers),
        "auth": auth if is_ours else None,
        "timeout": timeout,
    }
    query = {name: value for name, value in request.query.items() if value is not None}
    if query:
        options["params"] = query
    if request.form is None:
        options["content"] = request.body
    else:
        options |= {"data": dict(request.form), "files": {"file": request.body}}
    return options


def read_response(response: httpx.Response) -> Response:
    """The response as calls read it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content, str(response.url))


def read_transport_error(error: Exception, *, url: str) -> CarillonError:
    """Why there is no response. `NOT_SENT`: the request never left; `NO_ANSWER`: it may have arrived."""
    never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    place = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    found = NoAnswerError(
        f"{place} does not answer ({type(error).__name__}).",
        code="NOT_SENT" if never_left else "NO_ANSWER",
    )
    found.__cause__ = error
    return found
