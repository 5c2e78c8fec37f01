"""The codes with which the gateway closes a socket (contract §5, Close codes): why, and what the client does. The only table.

The gateway closes with them; `/asyncapi.json` describes them.
"""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a socket is closed. From 4000 to 4499 a client reconnects, from 4500 it does not."""

    NOT_UTF8 = 1007
    FLOODING = 1008
    TOO_LONG = 1009
    RESTARTING = 1012
    OVER_CAPACITY = 1013
    SILENT = 4400
    TOKEN_EXPIRED = 4401
    SLOW_READER = 4408
    DISABLED = 4500
    REPLACED = 4501


# What the close frame says. With TOO_LONG the parser of RFC 6455 closes, and says what it found.
REASONS = {
    CloseCode.NOT_UTF8: "",
    CloseCode.FLOODING: "flooding",
    CloseCode.TOO_LONG: "",
    CloseCode.RESTARTING: "restarting",
    CloseCode.OVER_CAPACITY: "over capacity",
    CloseCode.SILENT: "silent",
    CloseCode.TOKEN_EXPIRED: "token expired",
    CloseCode.SLOW_READER: "reading too slowly",
    CloseCode.DISABLED: "user disabled",
    CloseCode.REPLACED: "replaced by a newer connection",
}
# For developers of clients: why, and what to do.
ADVICE = {
    CloseCode.NOT_UTF8: ("A text frame is not UTF-8.", "Mend the client."),
    CloseCode.FLOODING: (
        "The client sends far too much: over 400 frames in two seconds, or empty fragments.",
        "Do not reconnect; mend the client.",
    ),
    CloseCode.TOO_LONG: ("A frame is longer than 64 KiB.", "Mend the client."),
    CloseCode.RESTARTING: (
        "The server restarts.",
        "Reconnect after a random pause of up to five seconds.",
    ),
    CloseCode.OVER_CAPACITY: ("The server is full.", "Reconnect with growing, random pauses."),
    CloseCode.SILENT: ("Nothing came from the client for 90 seconds.", "Reconnect."),
    CloseCode.TOKEN_EXPIRED: (
        "The token's time ended while the socket was open.",
        "Get a new token, then reconnect.",
    ),
    CloseCode.SLOW_READER: (
        "The client reads too slowly; too much waited for it.",
        "Reconnect with `since`.",
    ),
    CloseCode.DISABLED: ("The person is disabled.", "Do not reconnect."),
    CloseCode.REPLACED: (
        "Another connection of the person took its place, and this one had missed its heartbeat.",
        "Do not reconnect without being asked to.",
    ),
}
NO_CLOSE_FRAME = 1006  # never sent: what counts as the code of a connection that ended without one (RFC 6455 §7.1.5)
