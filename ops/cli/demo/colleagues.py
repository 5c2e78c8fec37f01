"""The demo's people, who answer when somebody writes to them: each with a socket of their own, over the public API."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from carillon_client import (
    CarillonError,
    NewMessage,
    PersonClient,
    PushedMessage,
    RefusedError,
    SocketEndedError,
    TemporaryError,
)
from ops.cli.demo.answers import choose_answer
from ops.cli.demo.filling import TITLE
from ops.cli.identity.callers import open_person

# As if they read, and then typed.
_READ_SECONDS, _TYPE_SECONDS = 0.8, 1.2
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 15.0
_LOOK_SECONDS = 0.5
_START_SECONDS = 5.0

Tell = Callable[[str], None]


class Colleague(threading.Thread):
    """One person who answers private messages until `stop`, and comes back whenever the socket is closed.

    What the demo itself wrote in somebody's name (`TITLE`) is not answered, or two of them would go on for ever. A person
    in whose name somebody else writes, in the inbox, is played by them from then on, and falls silent here.
    """

    def __init__(self, person_id: int, name: str, *, url: str, tell: Tell) -> None:
        super().__init__(name=f"colleague {person_id}", daemon=True)
        self._id = person_id
        self._name = name
        self._url = url
        self._tell = tell
        self._ending = threading.Event()
        self._answered = 0
        self._position: str | None = None
        self.is_listening = threading.Event()

    def stop(self) -> None:
        """Ask it to end; `join` waits for that."""
        self._ending.set()

    def run(self) -> None:
        """Listen and answer until `stop`, until somebody plays this person, or until they may not come back."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._ending.is_set():
            try:
                self._listen()
            except SocketEndedError as error:
                self._tell(f"{self._name} does not answer any more. {error.detail}")
                return
            except CarillonError as error:
                self._tell(error.detail)
            self._ending.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _listen(self) -> None:
        """Answer on one socket, which comes back by itself once it was open."""
        with (
            open_person(self._url, self._id) as api,
            api.socket(since=self._position) as socket,
        ):
            self.is_listening.set()
            while not self._ending.is_set():
                with suppress(TimeoutError):
                    event = socket.receive(timeout=_LOOK_SECONDS)
                    if isinstance(event, NewMessage):
                        self._consider(event.message, api)
                self._position = socket.position

    def _consider(self, message: PushedMessage, api: PersonClient) -> None:
        is_private = message.type == "MESSAGE" and message.sender_id is not None
        if not is_private or message.title == TITLE:
            return
        if message.sender_id == self._id:
            self._tell(
                f"{self._name} is played by somebody now, and does not answer by themselves."
            )
            self._ending.set()
            return
        try:
            self._answer(message, api)
        except (RefusedError, TemporaryError) as error:
            self._tell(f"{self._name} could not answer: {error.detail}")

    def _answer(self, message: PushedMessage, api: PersonClient) -> None:
        if message.sender_id is None or self._ending.wait(_READ_SECONDS):
            return
        api.mark_read(message.sender_id, up_to_id=message.id)
        if self._ending.wait(_TYPE_SECONDS):
            return
        kind = message.content_type
        text = choose_answer(message.content, content_type=kind, number=self._answered)
        self._answered += 1
        # A message that comes twice, after a new connection, is answered once.
        key = f"carillon-demo-answer-{message.id}"
        api.send(title=TITLE, receiver_id=message.sender_id, content=text, idempotency_key=key)


def start_colleagues(people: Iterable[tuple[int, str]], *, url: str, tell: Tell) -> list[Colleague]:
    """Start one for each of these (id and name). They listen, or their sockets cannot be opened for now, which is told."""
    made = [Colleague(id, name, url=url, tell=tell) for id, name in people]
    for one in made:
        one.start()
    until = time.monotonic() + _START_SECONDS
    for one in made:
        one.is_listening.wait(max(0.0, until - time.monotonic()))
    return made


def stop_colleagues(colleagues: Iterable[Colleague]) -> None:
    """Let them end, and wait for it."""
    waiting = list(colleagues)
    for one in waiting:
        one.stop()
    for one in waiting:
        one.join()
