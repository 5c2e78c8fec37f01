"""One declaration per route: where it is, who may call it, what it takes, answers and refuses.

The routes are built from it (`handler.py`), the document is generated from it (`openapi.py`), and tests of
the architecture read it. Declaring has no effect but a value.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from starlette.types import ASGIApp, Receive, Scope

from ingest.connection_shares import Turns
from ingest.models.requests import Nothing, RequestModel
from ingest.settings import IngestSettings
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.errors import CarillonError
from storage.valkey.rate_limits import Quota, RateLimiter

API = "/api/v1"


class Authenticator(Protocol):
    """Tells who is calling."""

    def authenticate(self, headers: Mapping[bytes, bytes]) -> Awaitable[Caller]:
        """The caller that `headers` (lower-case names) name; awaiting it may raise NotSignedIn or TransientError."""


class HandlerServices(Protocol):
    """What the handler of a request needs of the process, before a route is called.

    What the routes need beyond it is their own business: this room only passes it on.
    """

    @property
    def authenticator(self) -> Authenticator:
        """Who is calling."""

    @property
    def limits(self) -> RateLimiter:
        """The quotas of persons."""

    @property
    def turns(self) -> Turns:
        """The turns of one caller's requests at the database."""

    @property
    def settings(self) -> IngestSettings:
        """How long a body may be, and how long it may take."""


AnyServices = TypeVar("AnyServices", bound=HandlerServices)
Who = TypeVar("Who", bound=Caller | None)
Params = TypeVar("Params", bound=RequestModel)
Body = TypeVar("Body", bound=RequestModel)


@dataclass(frozen=True, slots=True)
class Callers(Generic[Who]):
    """Who may call: people, apps, both, or (neither) anyone without being asked who they are."""

    people: bool
    apps: bool


PEOPLE: Callers[UserCaller] = Callers(people=True, apps=False)
APPS: Callers[AppCaller] = Callers(people=False, apps=True)
PEOPLE_AND_APPS: Callers[Caller] = Callers(people=True, apps=True)
ANYONE: Callers[None] = Callers(people=False, apps=False)


# Not frozen: making a frozen one takes far longer, and there is one a request.
@dataclass(slots=True, eq=False)
class RequestContext(Generic[AnyServices, Who, Params, Body]):
    """One request that has been authenticated and parsed.

    `headers` has lower-case names; `raw` is the body as it came. `scope` and `receive` are for what is
    not JSON (uploads).
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
    def origin(self) -> str:
        """The text of the request's `model.origin.Origin`."""
        return str(self.scope.get("origin", ""))


@dataclass(frozen=True, slots=True)
class HeaderNote:
    """A header of a request or an answer, for the document."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A declared route.

    A `path` that ends in a slash answers without it as well, never by a redirect (contract §0).
    `answer` is the JSON shape of a success, None for no JSON; `status` the success's; `also` other
    successes, without JSON. `errors` are those beyond what authenticating, parsing and the record can
    raise. `quota`: what each request of a person uses up (an app's does not). `is_bulk`: its body may be
    long, of an app. `takes_turn`: it asks the share `reads`, where one caller's requests wait for one another;
    not so what sends, and what takes a turn of its own. `takes_stream`: the handler reads the body itself.
    """

    method: str
    path: str
    callers: Callers[Any]
    params: type[RequestModel]
    body: type[RequestModel]
    answer: Any
    status: int
    also: tuple[int, ...]
    media_type: str
    errors: tuple[type[CarillonError], ...]
    asks: tuple[HeaderNote, ...]
    tells: tuple[HeaderNote, ...]
    quota: Quota | None
    is_bulk: bool
    takes_turn: bool
    takes_stream: bool
    body_is_optional: bool
    is_deprecated: bool
    handler: Callable[[RequestContext[Any, Any, Any, Any]], Awaitable[ASGIApp]]

    @property
    def name(self) -> str:
        """The handler's name."""
        return self.handler.__name__

    @property
    def subject(self) -> str:
        """The routes module it is in."""
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
    answer: Any = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    media_type: str = "application/json",
    errors: tuple[type[CarillonError], ...] = (),
    asks: tuple[HeaderNote, ...] = (),
    tells: tuple[HeaderNote, ...] = (),
    quota: Quota | None = None,
    is_bulk: bool = False,
    takes_turn: bool = True,
    takes_stream: bool = False,
    body_is_optional: bool = False,
    is_deprecated: bool = False,
) -> Callable[
    [Callable[[RequestContext[AnyServices, Who, Params, Body]], Awaitable[ASGIApp]]], Endpoint
]:
    """Declare the decorated function as a route; its docstring is the document's description."""

    def declare(
        handler: Callable[[RequestContext[AnyServices, Who, Params, Body]], Awaitable[ASGIApp]],
    ) -> Endpoint:
        return Endpoint(
            method=method,
            path=path,
            callers=callers,
            params=params,
            body=body,
            answer=answer,
            status=status,
            also=also,
            media_type=media_type,
            errors=errors,
            asks=asks,
            tells=tells,
            quota=quota,
            is_bulk=is_bulk,
            takes_turn=takes_turn,
            takes_stream=takes_stream,
            body_is_optional=body_is_optional,
            is_deprecated=is_deprecated,
            handler=handler,
        )

    return declare
