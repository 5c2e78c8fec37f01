"""The inbox's routes: its page, what the page loads, what it is told of this deployment, and the demo's sign-in."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute, Mount

from ingest.http.endpoint import ANYONE, Endpoint, endpoint
from ingest.http.response import Response
from ingest.inbox import bundle, demo_sign_in
from ingest.inbox.content_policy import build_policy, find_media_origins
from ingest.inbox.demo_sign_in import TOKEN_SECONDS
from ingest.models.requests import Nothing, RequestModel
from ingest.services import Context
from ingest.settings import InboxSettings
from storage.keys.tokens import TokenSettings
from storage.media.store import MediaStore
from storage.model.errors import NotAllowed, NotFound, TransientError
from storage.settings import load

PATH = "/inbox"
HTML = "text/html; charset=utf-8"
_NOT_STORED = (("Cache-Control", "no-store"),)

_log = logging.getLogger(__name__)


class DemoSignInBody(RequestModel):
    """Which of the demo's people."""

    id: Annotated[int, Field(ge=1)]


def list_endpoints(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """What there is at /inbox with these settings; nothing unless they say that there is an inbox.

    Raises InvalidSettings if the demo's people are to sign in where they may not.
    """
    settings, tokens = load(InboxSettings, environ), load(TokenSettings, environ)
    demo_sign_in.check_deployment(settings, tokens)
    if not settings.is_on:
        return ()
    for_everyone = (show_inbox, make_config(has_demo=settings.has_demo))
    return (*for_everyone, make_sign_in(tokens)) if settings.has_demo else for_everyone


def list_files(environ: Mapping[str, str]) -> list[BaseRoute]:
    """The files that the page loads; nothing if there is no inbox, or it was not built."""
    if not load(InboxSettings, environ).is_on or not bundle.has_page():
        return []
    return [Mount(PATH, bundle.BundleFiles(directory=bundle.FOLDER), name="files of the inbox")]


@endpoint("GET", f"{PATH}/", callers=ANYONE, response=str, media_type=HTML, takes_slot=False)
async def show_inbox(context: Context[None, Nothing, Nothing]) -> Response:
    """The page on which people read and write, with and without the slash."""
    # Relative, so that it works behind a proxy's path.
    base = "./" if context.scope["path"].endswith("/") else f"{PATH.removeprefix('/')}/"
    page = await asyncio.to_thread(bundle.read_page, base=base)
    origins = await _find_origins(context.services.backends.media)
    headers = (
        ("Content-Security-Policy", build_policy(origins)),
        ("Cache-Control", "no-cache"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )
    if page is None:
        return Response(bundle.NOT_BUILT, status=404, media_type=HTML, headers=headers)
    return Response(page, media_type=HTML, headers=headers)


async def _find_origins(store: MediaStore) -> list[str]:
    try:
        return await asyncio.to_thread(find_media_origins, store)
    except TransientError as error:
        _log.warning("The inbox is shown without pictures: %s", error.detail)
        return []


def make_config(*, has_demo: bool) -> Endpoint:
    """What the page is told: whom it may sign in without a password."""

    @endpoint(
        "GET",
        f"{PATH}/config.json",
        callers=ANYONE,
        response=dict[str, object],
        takes_slot=False,
        errors=(TransientError,),
    )
    async def show_config(context: Context[None, Nothing, Nothing]) -> Response:
        """The demo's people that the page may sign in; null where there is no such sign-in."""
        if not has_demo:
            return Response({"demo_people": None}, headers=_NOT_STORED)
        people = await demo_sign_in.list_people(context.services.database)
        shown = [{"id": one.id, "name": one.name} for one in people]
        return Response({"demo_people": shown}, headers=_NOT_STORED)

    return show_config


def make_sign_in(tokens: TokenSettings) -> Endpoint:
    """The demo's sign-in; it is a route only where it is allowed."""

    @endpoint(
        "POST",
        f"{PATH}/demo/sign-in",
        callers=ANYONE,
        body=DemoSignInBody,
        response=dict[str, object],
        takes_slot=False,
        errors=(NotAllowed, NotFound, TransientError),
    )
    async def sign_in(context: Context[None, Nothing, DemoSignInBody]) -> Response:
        """A token of one of the demo's people, for the page itself on this machine."""
        client = context.scope["client"]
        demo_sign_in.check_own_page(context.headers, client=client[0] if client else "")
        database = context.services.database
        token = await demo_sign_in.issue_demo_token(database, context.body.id, tokens=tokens)
        return Response({"token": token, "expires_in": TOKEN_SECONDS}, headers=_NOT_STORED)

    return sign_in
