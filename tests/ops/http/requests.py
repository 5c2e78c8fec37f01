"""Requests as bytes, and a transport without a socket, for tests of our HTTP protocol class."""

import asyncio

from storage.model.error_codes import ErrorCode
from tests.ops.http.app import Answer

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: x\r\n"
MIB = 1024 * 1024


def early_post(path: bytes, *, size: int, more: bytes = b"") -> bytes:
    """The head of a POST that is answered before its body is read."""
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (path, more, size)


def is_refusal(answer: Answer, status: int) -> bool:
    """Whether it is the refusal with this status, in the form of the contract."""
    body = answer.json
    is_named = (
        list(body) == ["detail", "code", "request_id"]
        and isinstance(body["detail"], str)
        and ErrorCode[body["code"]].status == status
        and body["request_id"] == answer.headers["x-request-id"]
        and len(body["request_id"]) > 8
    )
    return answer.status == status and is_named and answer.headers["connection"] == "close"


class FakeTransport(asyncio.Transport):
    """A transport that only says whether it reads."""

    is_reading_now = True

    def pause_reading(self) -> None:
        """Remember it."""
        self.is_reading_now = False

    def resume_reading(self) -> None:
        """Remember it."""
        self.is_reading_now = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """To nobody."""

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """There is nothing to close."""
