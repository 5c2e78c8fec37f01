"""RFC 6455 by `websockets`, with what it has no settings for: our limits, our answers, a count of frames.

Put in the place of the `ServerProtocol` that uvicorn makes; used by `websocket_protocol.py` only.
"""

import json
from collections.abc import Generator
from typing import cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from push_gateway.error_responses import choose_request_id, encode_error_body
from storage.model.error_codes import ErrorCode

USUAL_LINE_BYTES = 8 * 1024
MAX_LINE_BYTES = 16 * 1024  # of a handshake (contract §5): cookies of single sign-on are long
# What `websockets` refuses a handshake with, and our code for it.
_CODES = {
    405: ErrorCode.METHOD_NOT_ALLOWED,
    414: ErrorCode.HEADERS_TOO_LARGE,
    426: ErrorCode.UPGRADE_REQUIRED,
    431: ErrorCode.HEADERS_TOO_LARGE,
    500: ErrorCode.INTERNAL,
}


class _LongLineReader(StreamReader):
    """Reads lines as long as ours may be, where `websockets` has a constant (8 KiB)."""

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read a line."""
        return super().read_line(max(m, MAX_LINE_BYTES), too_long_exc_type)


class CountingProtocol(ServerProtocol):
    """One connection's protocol; made by `convert_to_counting`."""

    frames: int
    """The number of frames that came since somebody set it to 0."""
    empty_fragments: int
    """The number of those that were fragments without content."""

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame in.

        `websockets` takes a close in the middle of a message for an error, but control frames may come
        between fragments (RFC 6455 §5.4): a peer that gives a message up by closing is answered its close
        (Autobahn's case 7.1.5).
        """
        self.frames += 1
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        elif not frame.data and (frame.opcode is Opcode.CONT or not frame.fin):
            self.empty_fragments += 1
        super().recv_frame(frame)

    def accept(self, request: Request) -> Response:
        """Answer a handshake: 101, or what is wrong with it."""
        response = super().accept(request)
        if response.status_code != 101:  # noqa: PLR2004
            sent = request.headers.get_all("X-Request-Id")[:1]
            refused = json.loads(
                response.body or b"{}"
            )  # by `reject`, which does not know the request
            code = ErrorCode[refused["code"]]
            _write_error(response, code, refused["detail"], request_id=choose_request_id(sent))
        return response

    def reject(self, status: int, text: str) -> Response:
        """Refuse a handshake, in the form of every other error (contract §0)."""
        code = _CODES.get(status, ErrorCode.BAD_REQUEST)
        response = super().reject(code.status, "")
        detail = code.meaning if code is ErrorCode.INTERNAL else " ".join(text.split())
        _write_error(response, code, detail or code.meaning, request_id=choose_request_id(()))
        return response


def _write_error(response: Response, code: ErrorCode, detail: str, *, request_id: str) -> None:
    """Make a refusal say this; headers that it has beside the usual ones stay."""
    response.body = encode_error_body(code, detail, request_id=request_id)
    for name, value in (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(response.body))),
        ("X-Request-Id", request_id),
    ):
        response.headers.pop(name, None)
        response.headers[name] = value


def convert_to_counting(protocol: ServerProtocol) -> CountingProtocol:
    """Make a protocol that has read nothing yet a CountingProtocol, and return it.

    uvicorn's constructor makes the protocol and lets nobody choose the class. Making a second one costs a handshake
    more than all of our own checks (docs/performance.md, Pushing); so the class of the one that is there is changed.
    """
    protocol.__class__ = CountingProtocol
    counting = cast("CountingProtocol", protocol)
    counting.frames = counting.empty_fragments = 0
    return counting


def allow_long_lines(protocol: ServerProtocol) -> None:
    """Let a protocol that has read nothing yet read lines of up to MAX_LINE_BYTES.

    Its parser is begun anew for that, so it is only called for handshakes that may hold a long line.
    """
    protocol.reader = _LongLineReader()
    protocol.parser = protocol.parse()
    next(protocol.parser)
