"""The API's own documentation: `/openapi.json`, and `/docs` from the package, no CDN (contract §7)."""

from functools import cache
from pathlib import Path

from starlette.staticfiles import StaticFiles

from ingest.documents.asyncapi import build_socket_document
from ingest.http.endpoint import ANYONE, endpoint
from ingest.http.response import Response
from ingest.models.requests import Nothing
from ingest.services import Context

# Relative addresses, so that it works behind a proxy's path.
_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Carillon API</title>
<link rel="stylesheet" href="docs/files/swagger-ui.css">
<link rel="icon" href="docs/files/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/files/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# Without a validator of its own, Swagger UI sends the document's address to one on the net.
_START = b"""SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
});
"""
# Swagger UI sets styles from its script and shows images it carries inline.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_build_asyncapi = cache(build_socket_document)
HTML, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"


@endpoint("GET", "/openapi.json", callers=ANYONE, response=dict[str, object])
async def show_openapi(context: Context[None, Nothing, Nothing]) -> Response:
    """This document."""
    return Response(context.scope["state"]["document"]())


@endpoint("GET", "/asyncapi.json", callers=ANYONE, response=dict[str, object])
async def show_asyncapi(_context: Context[None, Nothing, Nothing]) -> Response:
    """The WebSocket's document: its frames, both ways, its close codes and how to resume (AsyncAPI 3)."""
    return Response(_build_asyncapi())


@endpoint("GET", "/docs", callers=ANYONE, response=str, media_type=HTML)
async def show_docs(_context: Context[None, Nothing, Nothing]) -> Response:
    """Swagger UI."""
    headers = [("Content-Security-Policy", _POLICY)]
    return Response(_PAGE, media_type=HTML, headers=headers)


@endpoint("GET", "/docs/start.js", callers=ANYONE, response=str, media_type=SCRIPT)
async def start_docs(_context: Context[None, Nothing, Nothing]) -> Response:
    """The script that starts Swagger UI."""
    return Response(_START, media_type=SCRIPT)


ROUTES = (show_openapi, show_asyncapi, show_docs, start_docs)


def swagger_files() -> StaticFiles:
    """Swagger UI's own files, from npm (`make vendor`)."""
    return StaticFiles(directory=Path(__file__).with_name("swagger_ui"))
