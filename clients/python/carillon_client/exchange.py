"""Requests and responses without I/O, and the steps in which the calls of this package are written.

A call is a generator: it yields a `Request` and is sent the `Response` (or has NoAnswerError thrown into it), or yields a
`Pause` and goes on after it. An iterator's call also yields each `Item` that it gives. Two drivers run them, `blocking.py`
and `asynchronous.py`; so every rule stands once, for both.
"""

import json as json_text
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from carillon_client.errors import CarillonError, NotCarillonError, TemporaryError
from carillon_client.refusals import read_error
from carillon_client.retries import Retries

T = TypeVar("T")
Query = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is below `/api/v1`, or a whole URL of somewhere else, which gets no credentials.

    `may_repeat`: it is the same sent twice, so it is tried again also if it may have arrived.
    """

    method: str
    path: str
    query: Query = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    may_repeat: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. The names of `headers` are in lower case; `url` is what was asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """Something that an iterator gives."""

    value: T


Call = Generator[Request | Pause, Response, T]
Items = Generator[Request | Pause | Item[T], Response, None]


def go_on(call: Any, answer: Response | CarillonError | None) -> Any:
    """Go on with a call to its next step, with the answer to the last one; raises StopIteration with its result."""
    return call.throw(answer) if isinstance(answer, CarillonError) else call.send(answer)


def exchange(request: Request, retries: Retries) -> Call[Response]:
    """Send the request, again as `retries` say, and return the response; raises CarillonError unless it is a success."""
    tried = 0
    while True:
        tried += 1
        try:
            response = yield request
            error = read_error(response.status, response.headers, response.body)
            if error is None:
                return response
            raise error
        except TemporaryError as failed:
            may_repeat = request.may_repeat or _is_surely_undone(failed)
            pause = retries.choose_pause(failed, tried=tried) if may_repeat else None
            if pause is None:
                raise
        yield Pause(pause)


def call_json(request: Request, retries: Retries) -> Call[Any]:
    """As `exchange`, and read the JSON of the response; None if it has no body."""
    response = yield from exchange(request, retries)
    return read_json(response)


def read_json(response: Response) -> Any:
    """The JSON of a response; None if it has no body. Raises NotCarillonError if it is none."""
    if not response.body:
        return None
    try:
        return json_text.loads(response.body)
    except ValueError as error:
        raise NotCarillonError(
            f"{response.url} answered {response.status} with something that is not JSON.",
            status=response.status,
            code="NOT_CARILLON",
        ) from error


def write_json(value: Any) -> bytes:
    """JSON as it is sent. Raises TypeError or ValueError for what is none."""
    try:
        text = json_text.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (
        UnicodeEncodeError
    ):  # half a character: as an escape it arrives, and the server names the field
        return json_text.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def make_post(path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Request:
    """A POST of JSON. It may be repeated if it has an Idempotency-Key."""
    return make_request("POST", path, json=body, headers=headers)


def make_request(
    method: str,
    path: str,
    *,
    query: Query | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A request with a JSON body, or none. It may be repeated by its method (RFC 9110 §9.2.2) or its Idempotency-Key."""
    given = dict(headers or {})
    if not path.startswith("/"):
        raise ValueError(f"The path {path!r} does not begin with a slash.")
    has_key = any(name.lower() == "idempotency-key" for name in given)
    body = None if json is None else write_json(json)
    if body is not None:
        given = {"Content-Type": "application/json"} | given
    may_repeat = has_key or method.upper() in {"GET", "HEAD", "PUT", "DELETE"}
    return Request(method, path, query or {}, given, body, may_repeat=may_repeat)


def _is_surely_undone(error: TemporaryError) -> bool:
    """Whether the request cannot have been carried out: it was refused by a limit, or never left."""
    return error.status == 429 or error.code == "NOT_SENT"  # noqa: PLR2004 (Too Many Requests)
