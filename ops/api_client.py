"""The HTTP API as a caller uses it: bearer tokens, signatures, and errors as ours (contract §0, §1).

Used by the operator's commands and by tests. It uses the public API only, as every client does.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from storage.model.errors import CallerError, TransientError

Headers = dict[str, str]
_BUSY = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class RequestRefused(CallerError):
    """The API refused a request with the HTTP `status`; `detail` is its sentence. Only the caller can mend it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def make_user_headers(token: str) -> Headers:
    """The headers that say that the person with this token is calling."""
    return {"Authorization": f"Bearer {token}"}


def make_signed_text(app_id: str, timestamp: str) -> str:
    """What an app signs (contract §1)."""
    return f"app_id={app_id}&timestamp={timestamp}"


def make_app_headers(app_id: str, secret: bytes, *, now: float) -> Headers:
    """The headers that say that an app is calling at `now` (Unix seconds).

    The API accepts them for minutes (contract §1), so every request is to be signed anew.
    """
    timestamp = str(int(now))
    signed = make_signed_text(app_id, timestamp).encode()
    signature = hmac.new(secret, signed, hashlib.sha256).hexdigest()
    return {"X-App-Id": app_id, "X-Timestamp": timestamp, "X-Sign": signature}


class ApiClient:
    """One caller of the API at `url` (without /api/v1). Close it, or use it as a context manager."""

    def __init__(self, url: str, sign: Callable[[], Headers], *, timeout: float = 30.0) -> None:
        """`sign` makes the headers that say who is calling; it is called for every request. `timeout` is in seconds."""
        self._sign = sign
        self._url = url
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            timeout=timeout,
            trust_env=not is_loopback(url),  # no proxy on the way to this machine
        )

    @classmethod
    def of_user(cls, url: str, token: str) -> "ApiClient":
        """A client that calls as the person with this token."""
        return cls(url, lambda: make_user_headers(token))

    @classmethod
    def of_app(cls, url: str, app_id: str, *, secret: bytes) -> "ApiClient":
        """A client that calls as an app and signs every request."""
        return cls(url, lambda: make_app_headers(app_id, secret, now=time.time()))

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Send a GET and return the JSON of its response.

        Raises RequestRefused, or TransientError for no response, 429 and 5xx.
        """
        return self._request_json("GET", path, params=params)

    def post(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        """Send a POST and return the JSON of its response; None if it has no body.

        Raises RequestRefused, or TransientError for no response, 429 and 5xx. It is sent once; to repeat it safely, give
        an Idempotency-Key among the headers.
        """
        return self._request_json("POST", path, json=body, headers=headers)

    def delete(self, path: str) -> Any:
        """Send a DELETE and return the JSON of its response; None if it has no body.

        Raises RequestRefused, or TransientError for no response, 429 and 5xx.
        """
        return self._request_json("DELETE", path)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send any request, with the headers that say who is calling, and return its response, whatever its status.

        Raises TransientError if there is no response, and CallerError if the URL is none.
        """
        headers = self._sign() | dict(options.pop("headers", None) or {})
        try:
            return self._http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise TransientError(
                f"{self._url} does not answer ({type(error).__name__})."
            ) from error
        except httpx.InvalidURL as error:
            raise CallerError(f"{self._url} is not a URL.") from error

    def _request_json(self, method: str, path: str, **options: Any) -> Any:
        response = self.request(method, path, **options)
        if response.is_success:
            return response.json() if response.content else None
        detail = _describe_error(response)
        if response.status_code in _BUSY or response.is_server_error:
            raise TransientError(detail)
        raise RequestRefused(response.status_code, detail)


def is_loopback(url: str) -> bool:
    """Whether the host in `url` is this machine, by a name or address of loopback."""
    return urlsplit(url).hostname in _LOOPBACK


def _describe_error(response: httpx.Response) -> str:
    """The sentence of an error (contract §0); for a 422 the sentence of every field, with the field's name."""
    said = f"The API answered {response.status_code}"
    try:
        detail = response.json()["detail"]
        if not isinstance(detail, str):
            detail = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)
    except (ValueError, KeyError, TypeError, IndexError):
        return f"{said}."
    return f"{said}: {detail}"
