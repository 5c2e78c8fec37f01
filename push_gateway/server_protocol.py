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

from push_gateway import answers

USUAL_LINE_BYTES = 8 * 1024
MAX_LINE_BYTES = 16 * 1024  # of a handshake (contract §5): cookies of single sign-on are long
LINE_TOO_LONG, HEAD_TOO_LARGE = 414, 431


class _LongLines(StreamReader):
    """Reads lines as long as ours may be; 8 KiB is a constant of `websockets`."""

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read a line."""
        return super().read_line(max(m, MAX_LINE_BYTES), too_long_exc_type)


class CountingProtocol(ServerProtocol):
    """One connection's protocol."""

    frames: int
    """Frames that came, and"""
    empty: int
    """of them fragments without content."""

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
            self.empty += 1
        super().recv_frame(frame)

    def accept(self, request: Request) -> Response:
        """Answer a handshake: 101, or what is wrong with it."""
        response = super().accept(request)
        if response.status_code != 101:  # noqa: PLR2004
            del response.headers["X-Request-Id"]
            response.headers["X-Request-Id"] = answers.request_id(
                request.headers.get_all("X-Request-Id")[:1]
            )
        return response

    def reject(self, status: int, text: str) -> Response:
        """Refuse a handshake, in the form of every other error (contract §0)."""
        if status == LINE_TOO_LONG:
            status = HEAD_TOO_LARGE
        response = super().reject(status, "")
        response.body = answers.body(" ".join(text.split()) or response.reason_phrase)
        response.headers = Headers(
            {
                "Date": response.headers["Date"],
                "Connection": "close",
                "Content-Type": "application/json",
                "Content-Length": str(len(response.body)),
                "X-Request-Id": answers.request_id(()),
            }
        )
        return response


def convert_to_counting(protocol: ServerProtocol) -> None:
    """Make a protocol that has read nothing yet one of ours; not made anew, which would be a second one."""
    protocol.__class__ = CountingProtocol
    ours = as_counting(protocol)
    ours.frames = ours.empty = 0


def read_long_lines(protocol: ServerProtocol) -> None:
    """Let a protocol that has read nothing yet read lines as long as ours may be.

    Only where they may be: its parser is begun anew for it.
    """
    protocol.reader = _LongLines()
    protocol.parser = protocol.parse()
    next(protocol.parser)


def as_counting(protocol: ServerProtocol) -> CountingProtocol:
    """The same, for the type checker."""
    return cast("CountingProtocol", protocol)
