"""The codes with which the gateway closes a socket, and their reasons (contract §5, Close codes). The only table of them."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a socket is closed. From 4000 to 4499 a client reconnects, from 4500 it does not."""

    NOT_UTF8 = 1007
    FLOODING = 1008
    RESTARTING = 1012
    OVER_CAPACITY = 1013
    SILENT = 4400
    TOKEN_EXPIRED = 4401
    SLOW_READER = 4408
    DISABLED = 4500
    REPLACED = 4501


REASONS = {
    CloseCode.NOT_UTF8: "",
    CloseCode.FLOODING: "flooding",
    CloseCode.RESTARTING: "restarting",
    CloseCode.OVER_CAPACITY: "over capacity",
    CloseCode.SILENT: "silent",
    CloseCode.TOKEN_EXPIRED: "token expired",
    CloseCode.SLOW_READER: "reading too slowly",
    CloseCode.DISABLED: "user disabled",
    CloseCode.REPLACED: "replaced by a newer connection",
}
NO_CLOSE_FRAME = 1006  # never sent: what counts as the code of a connection that ended without one (RFC 6455 §7.1.5)
