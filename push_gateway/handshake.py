"""The doors of the gateway (contract §5): handshakes are judged here, and tickets for them issued."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from push_gateway.answers import problem, refused
from push_gateway.authentication import (
    SUBPROTOCOL,
    Authenticator,
    Identity,
    bearer,
    check_origin,
    credential,
)
from push_gateway.connection import Connection
from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import Metrics
from push_gateway.websocket_protocol import EXTENSION, FrameSocket
from storage.model.errors import CarillonError, TransientError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What judges handshakes and takes sockets."""

    gateway: Gateway
    doorman: Authenticator
    feed: Feed
    metrics: Metrics
    origins: tuple[str, ...]
    ticket_lifetime: timedelta
    buffer_bytes: int

    async def __call__(self, websocket: WebSocket) -> None:
        """Answer one handshake: 101 and from then on frames, or an HTTP error before the upgrade."""
        try:
            shown, mark = await self._judged(websocket)
        except CarillonError as error:
            refusal = refused(error, websocket)
            self.metrics.handshakes.labels(str(refusal.status_code)).inc()
            await websocket.send_denial_response(refusal)
            return
        offered = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(subprotocol=SUBPROTOCOL if offered else None)
        self.metrics.handshakes.labels("101").inc()
        self._admit(websocket, shown, mark)

    async def issue_ticket(self, request: Request) -> Response:
        """Answer `POST /ws/tickets`: for a valid token, a ticket that opens one socket soon."""
        try:
            holder = await self.doorman.identify(bearer(request.headers))
            await self.doorman.check_enabled(holder.user_id)
            ticket = await self.doorman.issue_ticket(holder)
        except CarillonError as error:
            return refused(error, request)
        seconds = int(self.ticket_lifetime.total_seconds())
        headers = {"Cache-Control": "no-store"}
        return JSONResponse({"ticket": ticket, "expires_in": seconds}, headers=headers)

    async def _judged(self, websocket: WebSocket) -> tuple[Identity, str]:
        """Who it is, and their mark from before they were judged."""
        check_origin(websocket.headers.get("origin"), allowed=self.origins)
        shown = credential(
            websocket.headers, websocket.query_params, websocket.scope["subprotocols"]
        )
        if not self.feed.is_live:
            raise TransientError("The gateway has no connection to the bus at the moment.")
        if EXTENSION not in websocket.scope["extensions"]:
            log.error("uvicorn was started without --ws push_gateway.websocket_protocol:...")
            raise TransientError("The gateway is not set up for sockets.")
        identity = await self.doorman.identify(shown)
        mark = self.gateway.resume_position(identity.user_id)
        await self.doorman.check_enabled(identity.user_id)
        self.gateway.check_room(identity.user_id, loop_now=asyncio.get_running_loop().time())
        return identity, mark

    def _admit(self, websocket: WebSocket, identity: Identity, mark: str) -> None:
        socket: FrameSocket = websocket.scope["extensions"][EXTENSION]
        connection = Connection(
            user_id=identity.user_id,
            socket=socket,
            keeper=self.gateway,
            expires_at=identity.expires_at.timestamp(),
        )
        connection.kernel = socket.take_over(connection, buffer_bytes=self.buffer_bytes)
        since = websocket.query_params.get("since")
        loop_now = asyncio.get_running_loop().time()
        self.gateway.admit(connection, since=since, mark=mark, loop_now=loop_now)


async def refuse_plain_http(_: Request) -> Response:
    """The answer to a request for the sockets' path that is no WebSocket handshake (RFC 9110)."""
    detail = "This is a WebSocket; connect with an upgrade request."
    return problem(426, detail, headers={"Upgrade": "websocket"})
