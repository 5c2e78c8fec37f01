"""Uploads, and the objects of the local store behind their signed URLs (contract §4)."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive

from ingest.http.endpoint import ANYONE, API, PEOPLE_AND_APPS, endpoint
from ingest.http.response import Response
from ingest.models.requests import Nothing, OneObject, UploadBody
from ingest.models.responses import FormWay, PutWay, UploadAnswer
from ingest.services import Context, Services
from storage.media.local import OBJECTS_PATH, LocalStore, build_headers
from storage.media.store import make_key
from storage.model.caller import Caller
from storage.model.error_codes import ErrorCode
from storage.model.errors import InConflict, Invalid, NotAllowed, NotFound, TooLarge, TooSlow
from storage.model.media import UploadInstructions
from storage.postgres import media_objects
from storage.valkey.rate_limits import Quota


@endpoint(
    "POST",
    f"{API}/media/uploads",
    callers=PEOPLE_AND_APPS,
    body=UploadBody,
    response=UploadAnswer,
    quota=Quota.PERSON_UPLOADS,
)
async def start_upload(context: Context[Caller, Nothing, UploadBody]) -> Response:
    """Announce an upload: the key to send as `content`, and how to upload its object."""
    services, body, owner = context.services, context.body, context.caller.key
    key = make_key(owner, body.filename, content_type=body.content_type)
    way = services.backends.media.upload(key, content_type=body.content_type, size=body.size)
    await services.database.transaction(
        media_objects.record_upload, key, owner=owner, **body.model_dump()
    )
    return Response(UploadAnswer(key, _show_instructions(way), way.expires_in))


@endpoint(
    "PUT",
    f"{OBJECTS_PATH}/{{key:path}}",
    callers=ANYONE,
    params=OneObject,
    status=204,
    errors=(NotAllowed, NotFound, InConflict, TooLarge, Invalid),
    takes_stream=True,
)
async def put_object(context: Context[None, OneObject, Nothing]) -> Response:
    """Upload an object with the URL from `POST /media/uploads`: exactly the size announced."""
    store, key = _require_local_store(context.services), context.params.key
    grant = store.verify("PUT", key, query=_parse_query(context))
    try:
        async with asyncio.timeout(context.services.settings.upload_timeout.total_seconds()):
            await store.write(key, _iterate_body(context.receive), grant=grant)
    except TimeoutError as error:
        raise TooSlow("The upload did not arrive in time.") from error
    return Response(status=204)


@endpoint(
    "GET",
    f"{OBJECTS_PATH}/{{key:path}}",
    callers=ANYONE,
    params=OneObject,
    response=bytes,
    media_type="application/octet-stream",
    errors=(NotAllowed, NotFound),
)
async def get_object(context: Context[None, OneObject, Nothing]) -> ASGIApp:
    """Download an object with a URL from a message."""
    store, key = _require_local_store(context.services), context.params.key
    grant = store.verify("GET", key, query=_parse_query(context))
    headers = build_headers(key, filename=grant.filename)
    if b"origin" not in context.headers:
        # A copy in a browser's cache that <img> fetched, without an origin, is none for a page that reads it by fetch().
        headers |= {"Vary": "Origin"}
    return FileResponse(store.find_path(key), headers=headers)


ROUTES = (start_upload, put_object, get_object)


def _show_instructions(way: UploadInstructions) -> PutWay | FormWay:
    if way.fields:
        return FormWay(way.method, way.url, way.fields)
    return PutWay(way.method, way.url, way.headers)


def _require_local_store(services: Services) -> LocalStore:
    store = services.backends.media
    if not isinstance(store, LocalStore):
        raise NotFound("There is no such object.", code=ErrorCode.UNKNOWN_OBJECT)
    return store


def _parse_query(context: Context[None, OneObject, Nothing]) -> dict[str, str]:
    return dict(parse_qsl(context.scope["query_string"].decode("latin-1"), keep_blank_values=True))


async def _iterate_body(receive: Receive) -> AsyncIterator[bytes]:
    """The body, part by part; it ends early, and is too short, if the client goes away."""
    while True:
        message = await receive()
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
