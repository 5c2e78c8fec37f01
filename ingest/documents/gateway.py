"""What the push gateway serves over plain HTTP below the API's path, declared for `/openapi.json`.

Ingest does not serve it, and the two processes never import one another. A test holds the declaration against a running
gateway.
"""

from typing import Any, NoReturn

from ingest.http.endpoint import API, PEOPLE, Endpoint, RequestContext, endpoint
from ingest.models.requests import Nothing
from ingest.models.responses import SocketTicket
from storage.model.caller import UserCaller


@endpoint("POST", f"{API}/ws/tickets", callers=PEOPLE, response=SocketTicket, takes_slot=False)
async def issue_ticket(_context: RequestContext[Any, UserCaller, Nothing, Nothing]) -> NoReturn:
    """Get a ticket that opens one WebSocket, in place of a token in its URL.

    Connect to `/api/v1/ws/messages?ticket=…`. It works once, and soon.
    """
    raise NotImplementedError("The push gateway serves it.")


SERVED_BY_GATEWAY: tuple[Endpoint, ...] = (issue_ticket,)
