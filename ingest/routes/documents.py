"""What describes Carillon: `/openapi.json` and `/asyncapi.json`, the pages that show them, and the start page (contract §7).

Everything comes from the package, no CDN.
"""

import asyncio
from functools import cache
from importlib.metadata import version
from pathlib import Path

from starlette.staticfiles import StaticFiles

from ingest.documents import pages
from ingest.documents.asyncapi import build_socket_document
from ingest.documents.languages import choose_language
from ingest.documents.pages import Deployment, Reader
from ingest.http.endpoint import ANYONE, endpoint
from ingest.http.response import Response
from ingest.http.static_files import RevalidatedFiles
from ingest.models.requests import Nothing, PageParameters
from ingest.services import Context

HTML = "text/html; charset=utf-8"
_HEADERS = (
    ("Content-Security-Policy", pages.POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Language"),
)
_build_asyncapi = cache(build_socket_document)

Page = Context[None, PageParameters, Nothing]


@endpoint("GET", "/", callers=ANYONE, params=PageParameters, response=str, media_type=HTML)
async def show_home(context: Page) -> Response:
    """The start page: where the documents, the console and the inbox are, and how the processes are."""
    deployment = Deployment(
        version=version("carillon"),
        has_console=context.services.settings.has_console,
        has_inbox="/inbox" in context.scope["state"]["mounted"],
    )
    return _respond(pages.render_home(_find_reader(context), deployment))


@endpoint("GET", "/openapi.json", callers=ANYONE, response=dict[str, object])
async def show_openapi(context: Context[None, Nothing, Nothing]) -> Response:
    """This document."""
    # In a thread: to build it, once, takes long enough to hold up every other request.
    return Response(await asyncio.to_thread(context.scope["state"]["document"]))


@endpoint("GET", "/asyncapi.json", callers=ANYONE, response=dict[str, object])
async def show_asyncapi(_context: Context[None, Nothing, Nothing]) -> Response:
    """The WebSocket's document: its frames, both ways, its close codes and how to resume (AsyncAPI 3)."""
    return Response(await asyncio.to_thread(_build_asyncapi))


@endpoint("GET", "/docs", callers=ANYONE, params=PageParameters, response=str, media_type=HTML)
async def show_docs(context: Page) -> Response:
    """The REST API as a page, to be tried out as an app or a person."""
    return _respond(pages.render_docs(_find_reader(context)))


@endpoint(
    "GET", "/docs/socket", callers=ANYONE, params=PageParameters, response=str, media_type=HTML
)
async def show_socket_docs(context: Page) -> Response:
    """The WebSocket as a page."""
    document = await asyncio.to_thread(_build_asyncapi)
    return _respond(pages.render_socket(_find_reader(context), document))


ROUTES = (show_home, show_openapi, show_asyncapi, show_docs, show_socket_docs)


def swagger_files() -> StaticFiles:
    """Swagger UI's own files, from npm (`make vendor`)."""
    return StaticFiles(directory=Path(__file__).with_name("swagger_ui"))


def page_files() -> StaticFiles:
    """The scripts and styles of our own pages."""
    return RevalidatedFiles(directory=Path(pages.__file__).with_name("static"))


def _find_reader(context: Page) -> Reader:
    asked = context.params.lang
    language = choose_language(asked, context.headers.get(b"accept-language", b""))
    return Reader(language, has_asked=asked == language)


def _respond(page: bytes) -> Response:
    return Response(page, media_type=HTML, headers=_HEADERS)
