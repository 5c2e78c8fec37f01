"""An endpoint in Starlette to which Carillon pushes events: verifies each, and does what it says once.

APP_CALLBACK_SECRET=whsec_... uvicorn starlette_events:app

The operator says where it is and gives you the secret: `carillon app callback APP_ID --url https://... --events message.read`.
"""

import logging
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from carillon_client import CarillonError, PushedEvent, verify_webhook

# While a secret is rotated there are two, with a comma between.
SECRETS = os.environ["APP_CALLBACK_SECRET"].split(",")
LOG = logging.getLogger("uvicorn.error")
# What was done already. In production: a table, written in the transaction that does what the event says.
DONE: set[str] = set()


async def events(request: Request) -> Response:
    """Where events come: 2xx only when it is done, because it does not come again then."""
    try:
        event = verify_webhook(await request.body(), request.headers, secrets=SECRETS)
    except CarillonError:
        return Response(status_code=400)
    if event.webhook_id not in DONE:
        do_what_it_says(event)
        DONE.add(event.webhook_id)
    return Response(status_code=204)


def do_what_it_says(event: PushedEvent) -> None:
    """Your own. Be quick: after ten seconds it counts as failed; put what takes long into a queue of yours."""
    if event.type == "message.read":
        for read in event.data["reads"]:
            LOG.info("Message %d was read by %s.", read["message_id"], read["app_user_id"])


app = Starlette(routes=[Route("/events", events, methods=["POST"])])
