"""Many clients of one gateway, that come back with `since`; and what was published meanwhile.

The bus is driven directly: what was published to a person, in that order, is the person's history. A
client that has no position yet comes with an empty one and is told RESYNC, which it takes as reading
the history as it then is; from there on its log must equal the history.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from ops.local.polling import wait_until
from storage.model.errors import TransientError
from storage.model.event import NewMessage
from storage.valkey.bus import Bus
from tests.push_gateway.running import Gateway, to_all, to_both, token

PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Member:
    """One client: what was published to it, what it has seen, and its position."""

    user_id: int
    history: list[int] = field(default_factory=list)
    log: list[int] = field(default_factory=list)
    pos: str = ""
    resyncs: int = 0
    is_connected: bool = False
    codes: list[int] = field(default_factory=list)

    def take(self, text: str | bytes) -> None:
        """Remember a frame. HELLO is passed over: a client need not know it."""
        frame = json.loads(text)
        if frame["type"] == "HELLO":
            return
        self.pos = frame["pos"]
        if frame["type"] == "RESYNC":
            self.resyncs += 1
            self.log = list(self.history)
        elif frame["type"] != "POSITION":
            self.log.append(frame["data"]["id"])


class Crowd:
    """One client for each person while it is open (`with`), in a thread of its own."""

    def __init__(self, gateway: Gateway, user_ids: Sequence[int]) -> None:
        self.members = {user_id: Member(user_id) for user_id in user_ids}
        self._gateway = gateway
        self._urls = {user_id: gateway.url(token=token(user_id), since="") for user_id in user_ids}
        self._is_over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="crowd")

    def __enter__(self) -> "Crowd":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()

    @property
    def connected_count(self) -> int:
        """How many are connected now."""
        return sum(member.is_connected for member in self.members.values())

    @property
    def resyncs(self) -> int:
        """How often anybody was told RESYNC."""
        return sum(member.resyncs for member in self.members.values())

    @property
    def is_complete(self) -> bool:
        """Whether every log equals its history."""
        return not self.wrong

    @property
    def wrong(self) -> list[Member]:
        """The members whose log is not their history: every id once, in its order."""
        return [member for member in self.members.values() if member.log != member.history]

    async def _run(self) -> None:
        await asyncio.gather(*map(self._stay, self.members.values()))

    async def _stay(self, member: Member) -> None:
        while not self._is_over:
            try:
                await self._listen(member)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(random.uniform(PAUSE_SECONDS, 10 * PAUSE_SECONDS))
            member.is_connected = False

    async def _listen(self, member: Member) -> None:
        url = self._urls[member.user_id] + member.pos
        async with connect(url, compression=None, open_timeout=20, close_timeout=1) as socket:
            member.is_connected = True
            try:
                while not self._is_over:
                    try:
                        async with asyncio.timeout(0.5):
                            member.take(await socket.recv())
                    except TimeoutError:
                        continue
            finally:
                if socket.close_code is not None:
                    member.codes.append(socket.close_code)


class Sender:
    """Publishes to random people of a crowd while it is open (`with`); at least once each."""

    def __init__(self, bus: Bus, crowd: Crowd, *, per_second: float, seed: int) -> None:
        self._bus, self._crowd, self._pause = bus, crowd, 1 / per_second
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender")
        # Rows share a bus, and a feed takes an id that it has seen for a repeat.
        self._first = time.time_ns() // 1000
        self.count = 0

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        people = list(self._crowd.members)
        while not self._over.wait(self._pause):
            self.count += 1
            id = self._first + self.count
            if self.count % 20:
                pair = self._chance.sample(people, 2)
                self._send(to_both(id, *pair), pair)
            else:
                self._send(to_all(id, people), people)

    def _send(self, event: NewMessage, user_ids: Sequence[int]) -> None:
        # First the history, then the push: as the workers do.
        for user_id in user_ids:
            self._crowd.members[user_id].history.append(event.message.id)
        publish_until_taken(lambda: self._bus.publish([event]))


def publish_until_taken(publish: Callable[[], None], *, seconds: float = 30.0) -> None:
    """Publish again and again until Valkey confirms it; fails if it does not within `seconds`."""

    def is_taken() -> bool:
        try:
            publish()
        except TransientError:
            return False
        return True

    assert wait_until(is_taken, seconds=seconds), "Valkey did not come back"
