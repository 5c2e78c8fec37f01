"""A callback page in Starlette: verifies the ticket, starts a session, and goes on to `next`.

CARILLON_URL=https://messages.example.com APP_ID=leave APP_SECRET=... OWN_HOSTS=leave.example.com \
        uvicorn starlette_callback:app
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from carillon_client import AsyncAppClient, NotFoundError, TemporaryError, choose_target

OWN_HOSTS = frozenset(os.environ["OWN_HOSTS"].split(","))
# Who is signed on, by the cookie. In production: your framework's sessions, which other processes see too.
SESSIONS: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """One client for the life of the process: it keeps its connections open."""
    environ = os.environ
    async with AsyncAppClient(
        environ["CARILLON_URL"], environ["APP_ID"], environ["APP_SECRET"]
    ) as client:
        app.state.carillon = client
        yield


async def callback(request: Request) -> Response:
    """Where Carillon sends people: `?ticket=...&next=...`."""
    client: AsyncAppClient = request.app.state.carillon
    try:
        person = await client.verify_ticket(request.query_params.get("ticket", ""))
    except NotFoundError:
        return PlainTextResponse("Please press the button again.", status_code=403)
    except TemporaryError:
        return PlainTextResponse("Please try again in a minute.", status_code=503)
    if person.app_user_id is None:
        return PlainTextResponse("You have no account here.", status_code=403)
    target = choose_target(request.query_params.get("next"), hosts=OWN_HOSTS, otherwise="/")
    response = RedirectResponse(target, status_code=303)
    session = secrets.token_urlsafe(32)
    SESSIONS[session] = person.app_user_id
    response.set_cookie("session", session, httponly=True, secure=True, samesite="lax")
    # The ticket is in the address: other sites are not to see it, nor are caches to keep it.
    response.headers.update({"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
    return response


async def home(request: Request) -> Response:
    """Any page of the app: it knows the person by the session."""
    account = SESSIONS.get(request.cookies.get("session", ""))
    if account is None:
        return PlainTextResponse("Not signed on.", status_code=401)
    return PlainTextResponse(f"Signed on as {account}.")


app = Starlette(
    routes=[Route("/callback", callback), Route("/{path:path}", home)], lifespan=lifespan
)
