"""The files of the page, which `make clients` builds from `clients/inbox` and copies into the folder here."""

import re
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from ingest.http.static_files import RevalidatedFiles

FOLDER = Path(__file__).with_name("static")
_PAGE = "index.html"
_HEAD = re.compile(rb"<head[^>]*>", re.IGNORECASE)
NOT_BUILT = (
    b"<!doctype html><html lang='en'><meta charset='utf-8'><title>Inbox</title>"
    b"<h1>The inbox is not built</h1><p>This installation has no files of the page. In a checkout <code>make clients</code> "
    b"builds them (it needs Node); the released package brings them.</p>"
)


def has_page() -> bool:
    """Whether the page was built."""
    return (FOLDER / _PAGE).is_file()


def read_page(*, base: str) -> bytes | None:
    """The page, whose relative addresses start at `base`; None if it was not built. It blocks, for a moment.

    `/inbox` and `/inbox/` show the same page, and a browser resolves `./x.js` differently at the two.
    """
    try:
        html = (FOLDER / _PAGE).read_bytes()
    except FileNotFoundError:
        return None
    return _HEAD.sub(lambda head: head[0] + f'<base href="{base}">'.encode(), html, count=1)


class BundleFiles(RevalidatedFiles):
    """What the page loads. HTML is shown with its policy only, and so not from here."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; raises HTTPException 404 if there is none."""
        if path.lower().endswith(".html"):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
