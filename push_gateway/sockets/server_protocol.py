"""RFC 6455 by `websockets`, with what it has no settings for: our limits, our answers, a count of frames.

Put in the place of the `ServerProtocol` that uvicorn makes; used by `websocket_protocol.py` only.
"""

from collections.abc import Generator
from typing import cast

from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from push_gateway.error_responses import choose_request_id, encode_error_body

USUAL_LINE_BYTES = 8 * 1024
MAX_LINE_BYTES = 16 * 1024  # of a handshake (contract §5): cookies of single sign-on are long
LINE_TOO_LONG, HEAD_TOO_LARGE = 414, 431


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
            del response.headers["X-Request-Id"]
            response.headers["X-Request-Id"] = choose_request_id(
                request.headers.get_all("X-Request-Id")[:1]
            )
        return response

    def reject(self, status: int, text: str) -> Response:
        """Refuse a handshake, in the form of every other error (contract §0)."""
        if status == LINE_TOO_LONG:
            status = HEAD_TOO_LARGE
        response = super().reject(status, "")
        response.body = encode_error_body(" ".join(text.split()) or response.reason_phrase)
        response.headers = Headers(
            {
                "Date": response.headers["Date"],
                "Connection": "close",
                "Content-Type": "application/json",
                "Content-Length": str(len(response.body)),
                "X-Request-Id": choose_request_id(()),
            }
        )
        return response


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
