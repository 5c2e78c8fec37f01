"""Files of our own pages, served from the package."""

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles


class RevalidatedFiles(StaticFiles):
    """Files that a browser asks for anew each time: scripts and pages of two versions do not fit together."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
