"""The demo's people, who answer when somebody writes to them: each with a socket of their own, over the public API."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ops.api_client import ApiClient, RequestRefused
from ops.cli.demo.answers import choose_answer
from ops.cli.demo.filling import TITLE
from ops.cli.demo.socket_watch import DemoSocket, SocketClosed, open_socket
from ops.cli.identity.callers import issue_user_token
from storage.model.errors import CarillonError, TransientError

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
        self._position = ""
        self.is_listening = threading.Event()

    def stop(self) -> None:
        """Ask it to end; `join` waits for that."""
        self._ending.set()

    def run(self) -> None:
        """Listen and answer until `stop`, until somebody plays this person, or until they may not come back."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except SocketClosed as error:
                if not error.may_return:
                    self._tell(f"{self._name} does not answer any more. {error.detail}")
                    return
            except CarillonError as error:
                self._tell(error.detail)
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._ending.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _listen(self) -> None:
        token = issue_user_token(self._id)
        with (
            open_socket(self._url, token, since=self._position) as socket,
            ApiClient.of_user(self._url, token) as api,
        ):
            while not self._ending.is_set():
                frame = self._receive(socket)
                if frame is not None and frame["type"] == "NEW_MESSAGE":
                    self._consider(frame["data"], api)

    def _receive(self, socket: DemoSocket) -> dict[str, Any] | None:
        frame = socket.receive(seconds=_LOOK_SECONDS)
        if frame is not None:
            self._position = frame.get("pos") or self._position
            if frame["type"] == "HELLO":
                self.is_listening.set()
        return frame

    def _consider(self, message: dict[str, Any], api: ApiClient) -> None:
        is_private = message["type"] == "MESSAGE" and message["sender_id"] is not None
        if not is_private or message["title"] == TITLE:
            return
        if message["sender_id"] == self._id:
            self._tell(
                f"{self._name} is played by somebody now, and does not answer by themselves."
            )
            self._ending.set()
            return
        try:
            self._answer(message, api)
        except (RequestRefused, TransientError) as error:
            self._tell(f"{self._name} could not answer: {error.detail}")

    def _answer(self, message: dict[str, Any], api: ApiClient) -> None:
        peer, id = message["sender_id"], message["id"]
        if self._ending.wait(_READ_SECONDS):
            return
        api.request("PUT", f"/messages/conversations/{peer}/read", json={"up_to_id": id})
        if self._ending.wait(_TYPE_SECONDS):
            return
        content, kind = message["content"], message["content_type"]
        text = choose_answer(content, content_type=kind, number=self._answered)
        self._answered += 1
        body = {"type": "MESSAGE", "title": TITLE, "receiver_id": peer, "content": text}
        # A message that comes twice, after a new connection, is answered once.
        api.post("/messages/", body, headers={"Idempotency-Key": f"carillon-demo-answer-{id}"})


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
