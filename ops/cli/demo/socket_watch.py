"""What `carillon demo` sees arrive on a person's socket."""

import time

from carillon_client import NewMessage, PersonSocket, PushedMessage
from storage.model.errors import PermanentError

_PATIENCE_SECONDS = 10.0
# How fast a broadcast goes at the least; it reaches people in the order of their ids, the demo's last.
_SLOWEST_PER_SECOND = 10_000


class SocketWatch:
    """An open socket, and the messages that come in on it."""

    def __init__(self, socket: PersonSocket) -> None:
        self._socket = socket

    def wait_for(self, id: int, *, what: str, ahead: int = 0) -> PushedMessage:
        """Wait for the message with this id, and pass over what comes before it.

        It may take 10 s, and longer if it goes to `ahead` people first. Raises PermanentError if it has not come by then.
        """
        patience = _PATIENCE_SECONDS + ahead / _SLOWEST_PER_SECOND
        until = time.monotonic() + patience
        try:
            while (left := until - time.monotonic()) > 0:
                event = self._socket.receive(timeout=left)
                if isinstance(event, NewMessage) and event.message.id == id:
                    return event.message
        except TimeoutError:
            pass
        raise PermanentError(
            f"The {what} (message {id}) did not arrive within {patience:.0f} s. It is stored: "
            "see that a worker runs, its log, and `carillon failed list`."
        )
