"""Socket clients as the contract has them: reconnect with `since`, read over REST after a RESYNC.

A client that has no position yet has to read over REST too: without `since` only what is new is pushed.

They log what they see; the oracle holds it against the histories. One thread for all.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from ops.local.polling import wait_until
from tests.faults.plain_http import Broken, Connection

PAUSE_SECONDS = 0.1  # before a reconnect


@dataclass(slots=True)
class Log:
    """What one person's client knows: a list of ids for each socket it had, and what it fetched.

    `shown`: what is on its screen, which a recall takes off again; `taken_off`: whose recall it was told;
    `versions`: the newest form of each message that it was given.
    """

    user_id: int
    sockets: list[list[int]] = field(default_factory=list)
    fetched: set[int] = field(default_factory=set)
    resyncs: int = 0
    is_connected: bool = False
    needs_fetch: bool = False
    position: str = ""
    shown: set[int] = field(default_factory=set)
    taken_off: set[int] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)

    def show(self, message: dict[str, Any]) -> None:
        """Show a message in this form, unless a newer one is shown."""
        id = message["id"]
        self.shown.add(id)
        self.versions[id] = max(self.versions.get(id, 1), message.get("version") or 1)

    @property
    def known(self) -> set[int]:
        """Every id that this client has seen on a socket or fetched over REST."""
        return self.fetched.union(*self.sockets)


class Sockets:
    """One socket for each person while it is open (`with`)."""

    def __init__(self, url: str, people: Sequence[int], *, token: Callable[[int], str]) -> None:
        """`url` is that of HTTP."""
        self._address = urlsplit(url)
        self._token = token
        self.logs = [Log(person) for person in people]
        self.seen_at: dict[int, float] = {}
        self._is_over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sockets")

    def __enter__(self) -> "Sockets":
        self._thread.start()
        if not wait_until(lambda: all(log.is_connected for log in self.logs), seconds=20):
            self.__exit__()
            raise AssertionError("not every socket was open within 20 s")
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()

    @property
    def seen(self) -> int:
        """How many messages have been seen by anybody."""
        return len(self.seen_at)

    async def _run(self) -> None:
        await asyncio.gather(*map(self._stay, self.logs))

    async def _stay(self, log: Log) -> None:
        while not self._is_over:
            try:
                await self._listen(log)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(PAUSE_SECONDS)
            log.is_connected = False

    async def _listen(self, log: Log) -> None:
        since = f"&since={log.position}" if log.position else ""
        log.needs_fetch |= not log.position
        path = f"/api/v1/ws/messages?token={self._token(log.user_id)}{since}"
        url = f"ws://{self._address.netloc}{path}"
        async with connect(url, open_timeout=10, close_timeout=1) as socket:
            log.sockets.append([])
            log.is_connected = True
            while not self._is_over:
                if log.needs_fetch:
                    await self._fetch(log)
                await self._take(log, socket)

    async def _take(self, log: Log, socket: ClientConnection) -> None:
        try:
            async with asyncio.timeout(0.25):
                frame = json.loads(await socket.recv())
        except TimeoutError:
            return
        log.position = frame.get("pos", log.position)
        if frame["type"] == "NEW_MESSAGE":
            log.sockets[-1].append(frame["data"]["id"])
            log.show(frame["data"])
            self.seen_at.setdefault(frame["data"]["id"], time.monotonic())
        elif frame["type"] == "MESSAGE_UPDATED":
            log.show(frame["data"])
        elif frame["type"] == "MESSAGE_RECALLED":
            log.shown.discard(frame["data"]["id"])
            log.taken_off.add(frame["data"]["id"])
        elif frame["type"] == "RESYNC":
            log.resyncs += 1
            log.shown.clear()
            log.needs_fetch = True

    async def _fetch(self, log: Log) -> None:
        """Read all histories over REST; if that fails now, the next turn tries again."""
        host, port = self._address.hostname or "", self._address.port or 80
        rest = Connection(host, port, timeout=5)
        headers = {"Authorization": f"Bearer {self._token(log.user_id)}"}
        try:
            listing = await _get(rest, "/messages/conversations", headers)
            for conversation in listing:
                await self._fetch_one(log, rest, headers, peer_id=conversation["user_id"])
        except Broken:
            return
        finally:
            rest.close()
        log.needs_fetch = False

    async def _fetch_one(
        self, log: Log, rest: Connection, headers: dict[str, str], *, peer_id: int
    ) -> None:
        before = ""
        while page := await _get(rest, f"/messages/history/{peer_id}?limit=100{before}", headers):
            log.fetched |= {message["id"] for message in page}
            for message in page:
                log.show(message)
            before = f"&before_id={page[-1]['id']}"


async def _get(rest: Connection, path: str, headers: dict[str, str]) -> Any:
    reply = await rest.ask("GET", f"/api/v1{path}", headers=headers)
    if reply.status != 200:
        raise Broken(str(reply.status))
    return reply.json
