"""Handshakes of sockets and the tickets for them (contract §5, Signing in): who may open one, and the refusal if not."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from push_gateway.authentication import (
    SUBPROTOCOL,
    Authenticator,
    Identity,
    check_origin,
    read_bearer_token,
    read_credential,
)
from push_gateway.connection import Connection
from push_gateway.error_responses import build_error_response, respond_to_error
from push_gateway.feed import Feed
from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.sockets.frame_socket import EXTENSION, FrameSocket
from storage.model.cross_origin import AllowedOrigins
from storage.model.error_codes import ErrorCode
from storage.model.errors import CarillonError, TransientError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handshake:
    """Answers handshakes and issues tickets; one for a process."""

    gateway: Gateway
    authenticator: Authenticator
    feed: Feed
    metrics: GatewayMetrics
    origins: AllowedOrigins
    ticket_lifetime: timedelta
    buffer_bytes: int

    async def __call__(self, websocket: WebSocket) -> None:
        """Answer one handshake: 101 and from then on frames, or an HTTP error before the upgrade."""
        try:
            identity, position_at_check = await self._authenticate(websocket)
        except CarillonError as error:
            refusal = respond_to_error(error, websocket)
            self.metrics.handshakes.labels(str(refusal.status_code)).inc()
            await websocket.send_denial_response(refusal)
            return
        offered = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(subprotocol=SUBPROTOCOL if offered else None)
        self.metrics.handshakes.labels("101").inc()
        self._admit(websocket, identity, position_at_check)

    async def issue_ticket(self, request: Request) -> Response:
        """Answer `POST /ws/tickets`: for a valid token, a ticket that opens one socket soon."""
        try:
            holder = await self.authenticator.identify(read_bearer_token(request.headers))
            await self.authenticator.check_enabled(holder.user_id)
            ticket = await self.authenticator.issue_ticket(holder)
        except CarillonError as error:
            return respond_to_error(error, request)
        seconds = int(self.ticket_lifetime.total_seconds())
        headers = {"Cache-Control": "no-store"}
        return JSONResponse({"ticket": ticket, "expires_in": seconds}, headers=headers)

    async def _authenticate(self, websocket: WebSocket) -> tuple[Identity, str]:
        """Who opens the socket, and their resume position from before it was checked that they are not disabled."""
        check_origin(websocket.headers, allowed=self.origins)
        credential = read_credential(
            websocket.headers, websocket.query_params, websocket.scope["subprotocols"]
        )
        if not self.feed.is_live:
            raise TransientError(
                "The gateway has no connection to the bus at the moment.", code=ErrorCode.BUS_AWAY
            )
        if EXTENSION not in websocket.scope["extensions"]:
            log.error("uvicorn was started without --ws push_gateway.websocket_protocol:...")
            raise TransientError("The gateway is not set up for sockets.")
        identity = await self.authenticator.identify(credential)
        position_at_check = self.gateway.resume_position(identity.user_id)
        await self.authenticator.check_enabled(identity.user_id)
        self.gateway.check_user_limit(identity.user_id, loop_now=asyncio.get_running_loop().time())
        return identity, position_at_check

    def _admit(self, websocket: WebSocket, identity: Identity, position_at_check: str) -> None:
        socket: FrameSocket = websocket.scope["extensions"][EXTENSION]
        connection = Connection(
            user_id=identity.user_id,
            socket=socket,
            owner=self.gateway,
            expires_at=identity.expires_at.timestamp(),
        )
        connection.kernel_socket = socket.take_over(connection, buffer_bytes=self.buffer_bytes)
        since = websocket.query_params.get("since")
        loop_now = asyncio.get_running_loop().time()
        self.gateway.admit(
            connection, since=since, position_at_check=position_at_check, loop_now=loop_now
        )


async def refuse_plain_http(request: Request) -> Response:
    """Answer a request for the path of sockets that is no WebSocket handshake: 426 (RFC 9110 §15.5.22)."""
    detail = "This is a WebSocket; connect with an upgrade request."
    return build_error_response(
        request.scope, ErrorCode.UPGRADE_REQUIRED, detail=detail, headers={"Upgrade": "websocket"}
    )
