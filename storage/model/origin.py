"""Where a send comes from: the request that brought it. It travels with the send, from row to event.

For logs and traces only: nothing is decided by it, and it may be missing.
"""

import re
from dataclasses import dataclass

# What a log line, a header, a shell and the text of an Origin can hold as it is.
_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


def is_sane_request_id(sent: bytes) -> bool:
    """Whether a caller's X-Request-Id may be used as it is (contract §0); if not, the request gets one of ours."""
    return _SANE_REQUEST_ID.fullmatch(sent) is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """A request: its id (X-Request-Id) and, when traces are on, its span as a W3C `traceparent`."""

    request_id: str = ""
    traceparent: str = ""

    @property
    def text(self) -> str:
        """The origin as it is stored with a send and carried by its event; "" if there is none."""
        return f"{self.request_id} {self.traceparent}".strip()

    @staticmethod
    def parse(text: str | None) -> "Origin":
        """The origin that `Origin.text` was made from; an empty one for None or ""."""
        request_id, _, traceparent = (text or "").partition(" ")
        return Origin(request_id, traceparent)
