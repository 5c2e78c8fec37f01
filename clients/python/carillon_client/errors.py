"""What can go wrong: one family of exceptions, `CarillonError`, and its members by what the caller can do.

Every member has `status`, `code`, `request_id`, `fields` and `retry_after`. Arguments that cannot be sent at all, such
as content that is no JSON, raise ValueError or TypeError before anything is sent.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request: where it is (`("body", "title")`), what is wrong, and a stable word for it."""

    loc: tuple[str | int, ...]
    msg: str
    type: str


class CarillonError(Exception):
    """Base of the family; its text is for logs.

    `status`: the HTTP status; 0 if there was no answer. `code`: a stable word for programs (docs/api/errors.md), or one of
    this package: `NO_ANSWER`, `NOT_SENT`, `NOT_CARILLON`, `SIGNED_OUT`, `SOCKET_CLOSED`. `detail`: the server's sentence. `request_id`: what the
    operator finds the request by. `fields`: the wrong fields of a 422. `retry_after`: seconds until it makes sense to try
    again; None if the server did not say.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int = 0,
        code: str = "",
        request_id: str | None = None,
        fields: tuple[FieldError, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.request_id = request_id
        self.fields = fields
        self.retry_after = retry_after

    def __str__(self) -> str:
        where = f"{self.status} {self.code}" if self.status else self.code
        known = f" (request {self.request_id})" if self.request_id else ""
        return f"{where}: {self.detail}{known}" if where else f"{self.detail}{known}"


class RefusedError(CarillonError):
    """The server refused the request: the same one can never work. 4xx, but 408 and 429."""


class NotSignedInError(RefusedError):
    """401: the token, or the app's id, secret or signature, is missing, wrong or expired."""


class ClockSkewError(NotSignedInError):
    """401: this machine's clock is off by more than the server takes (5 minutes by default); set it by NTP.

    `server_time` is the server's clock in Unix seconds, `offset` by how many seconds this machine's is ahead of it.
    """

    server_time: int = 0
    offset: float = 0.0


class SignedOutError(NotSignedInError):
    """The token function returned None: there is nobody to call as. Nothing was sent."""


class WebhookError(CarillonError):
    """A request to your endpoint is not one of Carillon's, is too old, or was changed on its way."""


class NotAllowedError(RefusedError):
    """403: the caller is known and may not do this."""


class NotFoundError(RefusedError):
    """404: there is no such thing, or the caller may not see it. Also of a ticket that has no ticket's form."""


class InvalidError(RefusedError):
    """422: something in the request is wrong; `fields` says what and where."""


class TemporaryError(CarillonError):
    """Nothing is wrong with the request: the same one may work later. 408, 429 and 5xx, after the last attempt."""


class NoAnswerError(TemporaryError):
    """The server was not reached, or the connection broke. Whether the request was carried out is not known."""


class NotCarillonError(CarillonError):
    """Something answered that is not Carillon's API, such as a proxy's page: look at the URL."""


class BatchInterruptedError(CarillonError):
    """A batch could not be brought to its end; `__cause__` is why.

    `results` are those of the entries before the one it stopped at, in order; of the rest it is not known whether they
    were sent. Call again with the same entries and `idempotency_key`: what was sent is not sent again.
    """

    def __init__(self, cause: CarillonError, *, results: list[object], key: str) -> None:
        super().__init__(
            f"The batch stopped after {len(results)} entries: {cause.detail}",
            status=cause.status,
            code=cause.code,
            request_id=cause.request_id,
            fields=cause.fields,
            retry_after=cause.retry_after,
        )
        self.results = results
        self.idempotency_key = key


class SocketClosedError(CarillonError):
    """The socket was closed here: `close` was called, or its block has ended."""


class SocketEndedError(CarillonError):
    """The server closed the socket and does not want it back (close codes 1008, 1009 and from 4500 to 4999).

    `close_code` is the code, `reason` the server's words.
    """

    def __init__(self, detail: str, *, close_code: int, reason: str) -> None:
        super().__init__(detail, code=f"CLOSE_{close_code}")
        self.close_code = close_code
        self.reason = reason
