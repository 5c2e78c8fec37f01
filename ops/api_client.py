"""The HTTP API as a caller uses it: bearer tokens, signatures, and errors as ours (contract §0, §1).

Used by the operator's commands and by tests. It goes through the front door like everybody else.
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
    """The API answered `status`, which is the caller's to mend; `detail` is the API's own sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def user_headers(token: str) -> Headers:
    """The headers of a person with this token."""
    return {"Authorization": f"Bearer {token}"}


def app_headers(app_id: str, secret: bytes, *, now: float) -> Headers:
    """The headers of an app at `now` (Unix seconds): good for 300 s, so sign every request anew."""
    timestamp = str(int(now))
    signed = f"app_id={app_id}&timestamp={timestamp}".encode()
    signature = hmac.new(secret, signed, hashlib.sha256).hexdigest()
    return {"X-App-Id": app_id, "X-Timestamp": timestamp, "X-Sign": signature}


class ApiClient:
    """One caller of the API at `url` (without /api/v1). Close it, or use it as a context manager."""

    def __init__(self, url: str, sign: Callable[[], Headers], *, timeout: float = 30.0) -> None:
        """`sign` makes the headers that say who is calling, for every request."""
        self._sign = sign
        self._url = url
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            timeout=timeout,
            trust_env=not is_loopback(url),  # no proxy on the way to this machine
        )

    @classmethod
    def of_user(cls, url: str, token: str) -> "ApiClient":
        """A person with this token."""
        return cls(url, lambda: user_headers(token))

    @classmethod
    def of_app(cls, url: str, app_id: str, *, secret: bytes) -> "ApiClient":
        """An app, which signs every request."""
        return cls(url, lambda: app_headers(app_id, secret, now=time.time()))

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET; raises Refused, or TransientError (no answer, 429, 5xx)."""
        return self._json("GET", path, params=params)

    def post(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of a POST; raises as `get`. Not repeated here: name an Idempotency-Key to do so."""
        return self._json("POST", path, json=body, headers=headers)

    def delete(self, path: str) -> Any:
        """The JSON of a DELETE, if it has any; raises as `get`."""
        return self._json("DELETE", path)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request and its answer as it is, with the caller's headers; TransientError without one."""
        headers = self._sign() | dict(options.pop("headers", None) or {})
        try:
            return self._http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise TransientError(
                f"{self._url} does not answer ({type(error).__name__})."
            ) from error
        except httpx.InvalidURL as error:
            raise CallerError(f"{self._url} is not a URL.") from error

    def _json(self, method: str, path: str, **options: Any) -> Any:
        answer = self.request(method, path, **options)
        if answer.is_success:
            return answer.json() if answer.content else None
        detail = _detail(answer)
        if answer.status_code in _BUSY or answer.is_server_error:
            raise TransientError(detail)
        raise RequestRefused(answer.status_code, detail)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _detail(answer: httpx.Response) -> str:
    """The sentence of an error (contract §0); of a 422 every field's, with the field's name."""
    said = f"The API answered {answer.status_code}"
    try:
        detail = answer.json()["detail"]
        if not isinstance(detail, str):
            detail = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in detail)
    except (ValueError, KeyError, TypeError, IndexError):
        return f"{said}."
    return f"{said}: {detail}"
