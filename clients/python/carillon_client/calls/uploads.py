"""Uploading a file: it is announced to the API, and goes to where the API says."""

import mimetypes
from urllib.parse import urljoin

from carillon_client.exchange import Call, Request, exchange, make_post, read_json
from carillon_client.results import UploadedFile
from carillon_client.retries import Retries


def upload(
    data: bytes, retries: Retries, *, filename: str, content_type: str | None
) -> Call[UploadedFile]:
    """Upload a file, and return what to send. `content_type` is guessed from the name if it is not given."""
    kind = content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    announced = {"content_type": kind, "filename": filename, "size": len(data)}
    response = yield from exchange(make_post("/media/uploads", announced), retries)
    granted = read_json(response)
    way = granted["upload"]
    # It may be relative to the API. As a whole URL it gets no credentials: it has its own.
    request = Request(
        way["method"],
        urljoin(response.url, way["url"]),
        headers=way.get("headers", {}),
        body=data,
        form=way.get("fields"),
    )
    yield from exchange(request, retries)
    return UploadedFile(granted["key"], _choose_kind(kind))


def _choose_kind(content_type: str) -> str:
    family = content_type.partition("/")[0]
    return {"image": "IMAGE", "video": "VIDEO"}.get(family, "FILE")
