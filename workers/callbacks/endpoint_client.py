"""One call of an app's endpoint, within ten seconds and a few KiB whatever its server does (contract §9).

It follows no redirect, asks no proxy, keeps no cookie and unpacks nothing. Each call has a connection of its own: one that is
kept can be closed by the other side just as it is used again, which would look like a failure.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import cast

import certifi
import httpcore
import httpx

from workers.callbacks.network_guard import ForbiddenAddress, NetworkGuard

# What is read of an answer before its connection is closed. Nothing is done with it; a server whose answer is not read
# at all may take that for an error.
MOST_BYTES = 4096
MOST_BODY_SECONDS = 1.0
# A look-up of a name cannot be cancelled, and may hang for longer than its call. So many threads an endpoint that is called at
# the same time leave some for the others.
LOOK_UPS_PER_CALL = 2


class Outcome(Enum):
    """What came of a call."""

    TAKEN = auto()
    FAILED = auto()
    GONE = auto()  # 410: the app wants no more of them


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came of a call; `error` says in a few words why it was not taken, without anything that the server wrote."""

    outcome: Outcome
    error: str = ""


class EndpointClient:
    """Calls the endpoints of apps, any number at once. Made in the process that uses it, and closed there.

    `allowed`: networks (CIDR) that may be called beside the public Internet, also without TLS. `seconds`: for a call from its
    look-up to the end of its answer. `most_calls`: how many are expected at once.
    """

    def __init__(
        self,
        *,
        allowed: tuple[str, ...],
        seconds: float,
        most_calls: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._tls = tls or make_tls_context()
        self._resolver = ThreadPoolExecutor(
            LOOK_UPS_PER_CALL * most_calls, thread_name_prefix="look-up"
        )

    async def call(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResult:
        """POST `body` as JSON to `url`, with `headers` beside our own.

        Never raises for what the other side does or does not do. The status counts as soon as it is there, also if the rest of the
        answer is too long or too slow.
        """
        parsed = parse_endpoint(url)
        if parsed is None:
            return CallResult(Outcome.FAILED, "Its URL cannot be called.")
        status: list[int] = []
        try:
            async with asyncio.timeout(self._seconds):
                await self._post(parsed, body, headers, status)
        except TimeoutError:
            error = f"No answer in {self._seconds:g} s."
        except ForbiddenAddress:
            error = "Its address may not be called."
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as failed:
            error = describe_failure(failed)
        else:
            error = ""
        return judge_status(status[0]) if status else CallResult(Outcome.FAILED, error)

    async def _post(
        self, url: httpx.URL, body: bytes, headers: Mapping[str, str], status: list[int]
    ) -> None:
        """Call, put the status into `status` once it is there, and read a little of the rest."""
        own = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": "Carillon",
            "connection": "close",
        }
        guard = NetworkGuard(
            allowed=self._allowed, is_plain=url.scheme == "http", resolver=self._resolver
        )
        async with (
            aclosing(guard),
            httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=guard) as pool,
            pool.stream(
                "POST",
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=list((own | dict(headers)).items()),
                content=body,
            ) as response,
        ):
            status.append(response.status)
            async with asyncio.timeout(MOST_BODY_SECONDS):
                await _read_a_little(response)

    def close(self) -> None:
        """Take no more calls; look-ups that hang are not waited for."""
        self._resolver.shutdown(wait=False, cancel_futures=True)


async def _read_a_little(response: httpcore.Response) -> None:
    size = 0
    stream = cast("AsyncGenerator[bytes, None]", response.aiter_stream())
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                return


def make_tls_context() -> ssl.SSLContext:
    """TLS that believes the system's authorities (SSL_CERT_FILE may name others) and those that browsers believe."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def parse_endpoint(url: str) -> httpx.URL | None:
    """The URL of an endpoint, with its host as DNS wants it; None if it is none that may be called, whatever it leads to."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return None
    is_usable = parsed.scheme in {"https", "http"} and parsed.host and not parsed.userinfo
    return parsed if is_usable else None


def judge_status(status: int) -> CallResult:
    """What the endpoint's status means: 2xx takes the event, 410 ends all calls, anything else is a failure."""
    match status // 100, status:
        case 2, _:
            return CallResult(Outcome.TAKEN)
        case _, HTTPStatus.GONE:
            return CallResult(Outcome.GONE, "It answered 410.")
        case 3, _:
            error = f"It answered {status}. Redirects are not followed."
        case _:
            error = f"It answered {status}."
    return CallResult(Outcome.FAILED, error)


# The first that fits any cause of a failure is said.
_CAUSES: Sequence[tuple[type[BaseException], str]] = (
    (ssl.SSLError, "It does not speak TLS as we do."),
    (ConnectionRefusedError, "It refused the connection."),
    (socket.gaierror, "Its name is not known."),
    (UnicodeError, "Its name is not known."),
    (httpcore.ConnectError, "It cannot be reached."),
    (httpcore.RemoteProtocolError, "It ended the connection, or does not speak HTTP."),
)


def describe_failure(error: BaseException) -> str:
    """A connection's failure in a few words: what an operator can act on, and nothing that the server wrote."""
    causes = list(_list_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"Its certificate is not valid: {cause.verify_message.rstrip('.')}."
    found = (text for kind, text in _CAUSES if any(isinstance(cause, kind) for cause in causes))
    return next(found, "The connection broke.")


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
