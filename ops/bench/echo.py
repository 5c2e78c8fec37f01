"""The floor of `bench-accept`: the same server and toolkit, echoing the body. No auth, rules, record."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router


async def _echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")


def create_app() -> Router:
    """One route."""
    return Router([Route("/api/v1/messages/", _echo, methods=["POST"])])
