"""A connection's descriptor, for frames that go to the kernel without the event loop's transport.

Used by `websocket_protocol.py`; why frames go there: docs/decisions/0016-frames-to-the-kernel.md.
"""

import asyncio
import socket

SEND_BUFFER_BYTES = 64 * 1024  # so that a slow reader shows in our buffer, not in the kernel's
UNACKNOWLEDGED_MS = (
    20_000  # data that a peer has not acknowledged for so long: the connection is dead
)


def open_kernel_socket(transport: asyncio.Transport) -> socket.SocketType | None:
    """The transport's own descriptor, non-blocking; None if the transport has none.

    Sets bounds on what the kernel keeps for the peer, and for how long. Must be detached before the transport
    closes the descriptor.
    """
    raw: socket.socket | None = transport.get_extra_info("socket")
    if raw is None:
        return None
    kernel_socket = socket.SocketType(raw.family, raw.type, raw.proto, raw.fileno())
    kernel_socket.settimeout(0)
    if raw.family in (socket.AF_INET, socket.AF_INET6):
        kernel_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        kernel_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return kernel_socket
