"""The declaration of a route: where it is, who may call it, what it takes, what it responds and how it can fail.

Routes declare their handlers with `endpoint`. The process is built from the declarations (`handler.py`), the OpenAPI
document is generated from them (`ingest/documents/openapi.py`), and tests of the architecture read them. Declaring has no side effect.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from starlette.types import ASGIApp, Receive, Scope

from ingest.connection_shares import CallerSlots
from ingest.http.body import BodyReader
from ingest.http.request_headers import prefers_strict
from ingest.models.requests import Nothing, RequestModel
from ingest.settings import IngestSettings
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.errors import CarillonError, FieldProblem
from storage.valkey.rate_limits import Quota, RateLimiter

API = "/api/v1"


class Authenticator(Protocol):
    """Authenticates callers."""

    def authenticate(self, headers: Mapping[bytes, bytes], scope: Scope) -> Awaitable[Caller]:
        """The caller that `headers` (lower-case names) name; awaiting it may raise NotSignedIn, NotAllowed or TransientError."""

    def check_body(self, headers: Mapping[bytes, bytes], body: bytes) -> None:
        """Raise NotSignedIn if the headers say that the body is another one."""


class HandlerServices(Protocol):
    """What the handler of a request needs of the process, before a route is called.

    What the routes need beyond it is their own business: this room only passes it on.
    """

    @property
    def authenticator(self) -> Authenticator:
        """What authenticates callers."""

    @property
    def limits(self) -> RateLimiter:
        """The quotas of persons."""

    @property
    def slots(self) -> CallerSlots:
        """The slots of one caller's requests at the database."""

    @property
    def settings(self) -> IngestSettings:
        """How long a body may be."""

    @property
    def body_reader(self) -> BodyReader:
        """What reads bodies, each within its time."""


AnyServices = TypeVar("AnyServices", bound=HandlerServices)
Who = TypeVar("Who", bound=Caller | None)
Params = TypeVar("Params", bound=RequestModel)
Body = TypeVar("Body", bound=RequestModel)


@dataclass(frozen=True, slots=True)
class Callers(Generic[Who]):
    """Who may call: people, apps or both. If neither, anyone may, and nobody is authenticated."""

    people: bool
    apps: bool


PEOPLE: Callers[UserCaller] = Callers(people=True, apps=False)
APPS: Callers[AppCaller] = Callers(people=False, apps=True)
PEOPLE_AND_APPS: Callers[Caller] = Callers(people=True, apps=True)
ANYONE: Callers[None] = Callers(people=False, apps=False)


# Not frozen: a frozen one takes far longer to make, and each request makes one (docs/performance.md, Accepting).
@dataclass(slots=True, eq=False)
class RequestContext(Generic[AnyServices, Who, Params, Body]):
    """One request that has been authenticated and parsed.

    `caller` is None where nobody is authenticated. `headers` have lower-case names; `raw` is the body as it came, empty
    if none was read. `scope` and `receive` are those of ASGI, for what is not JSON (uploads).
    """

    services: AnyServices
    caller: Who
    params: Params
    body: Body
    headers: Mapping[bytes, bytes]
    raw: bytes
    scope: Scope = field(repr=False)
    receive: Receive = field(repr=False)

    @property
    def is_strict(self) -> bool:
        """Whether the caller wants to be refused what would otherwise be ignored."""
        return prefers_strict(self.headers)

    @property
    def origin(self) -> str:
        """Where what this request sends comes from: the text of a `storage.model.origin.Origin`."""
        return str(self.scope.get("origin", ""))


@dataclass(frozen=True, slots=True)
class HeaderNote:
    """A header of requests or responses, with the sentence that the document says of it, and a value that it may have."""

    name: str
    text: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A declared route.

    - `path`: one that ends in a slash is there without it as well, never by a redirect (contract §0).
    - `response`: the JSON shape of a success, None for no JSON; `status` is its status, `other_statuses` those of
      successes without JSON; `media_type` its content type.
    - `errors`: what it can raise beyond what authentication, parsing and the database can.
    - `request_headers`, `response_headers`: those worth a line in the document.
    - `quota`: what each request of a person uses up; an app's uses nothing.
    - `is_bulk`: an app's body may be as long as a batch.
    - `takes_slot`: it queries the share `reads`, where one caller's requests wait for one another. Not so a route that
      sends, or takes a slot of its own.
    - `find_ignored`: what of a body, each field known and well-formed, has no effect for this caller; asked with
      `Prefer: handling=strict` only.
    - `takes_stream`: the handler reads the body itself.
    """

    method: str
    path: str
    callers: Callers[Any]
    params: type[RequestModel]
    body: type[RequestModel]
    response: Any
    status: int
    other_statuses: tuple[int, ...]
    media_type: str
    errors: tuple[type[CarillonError], ...]
    request_headers: tuple[HeaderNote, ...]
    response_headers: tuple[HeaderNote, ...]
    quota: Quota | None
    is_bulk: bool
    takes_slot: bool
    takes_stream: bool
    find_ignored: Callable[[Any, Any], list[FieldProblem]] | None
    body_is_optional: bool
    is_deprecated: bool
    handler: Callable[[RequestContext[Any, Any, Any, Any]], Awaitable[ASGIApp]]

    @property
    def name(self) -> str:
        """The name of the handler, which is the operation's id in the document."""
        return self.handler.__name__

    @property
    def subject(self) -> str:
        """The name of the module it is declared in."""
        return self.handler.__module__.rpartition(".")[2]

    @property
    def takes_json(self) -> bool:
        """Whether a JSON body is read."""
        return self.body is not Nothing


def endpoint(
    method: str,
    path: str,
    *,
    callers: Callers[Who],
    params: type[Params] = Nothing,  # type: ignore[assignment]
    body: type[Body] = Nothing,  # type: ignore[assignment]
    response: Any = None,
    status: int = 200,
    other_statuses: tuple[int, ...] = (),
    media_type: str = "application/json",
    errors: tuple[type[CarillonError], ...] = (),
    request_headers: tuple[HeaderNote, ...] = (),
    response_headers: tuple[HeaderNote, ...] = (),
    quota: Quota | None = None,
    is_bulk: bool = False,
    takes_slot: bool = True,
    takes_stream: bool = False,
    find_ignored: Callable[[Any, Any], list[FieldProblem]] | None = None,
    body_is_optional: bool = False,
    is_deprecated: bool = False,
) -> Callable[
    [Callable[[RequestContext[AnyServices, Who, Params, Body]], Awaitable[ASGIApp]]], Endpoint
]:
    """Declare the decorated function as a route; see `Endpoint` for what the arguments mean.

    The first line of its docstring is the summary in the document, the rest the description.
    """

    def declare(
        handler: Callable[[RequestContext[AnyServices, Who, Params, Body]], Awaitable[ASGIApp]],
    ) -> Endpoint:
        return Endpoint(
            method=method,
            path=path,
            callers=callers,
            params=params,
            body=body,
            response=response,
            status=status,
            other_statuses=other_statuses,
            media_type=media_type,
            errors=errors,
            request_headers=request_headers,
            response_headers=response_headers,
            quota=quota,
            is_bulk=is_bulk,
            takes_slot=takes_slot,
            takes_stream=takes_stream,
            find_ignored=find_ignored,
            body_is_optional=body_is_optional,
            is_deprecated=is_deprecated,
            handler=handler,
        )

    return declare
