"""A proxy that loses answers: the request went through, the client never learns what came of it."""

import asyncio
import random
import threading
from typing import Self
from urllib.parse import urlsplit

from ops.local.polling import wait_until


class LossyProxy:
    """Stands between clients and `url` while it is open (`with`), and cuts the line before a `share` of the answers."""

    def __init__(self, url: str, *, share: float, seed: int) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 80)
        self._share = share
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._port = 0
        self.dropped = 0

    @property
    def url(self) -> str:
        """The URL that clients use instead of the real one."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        wait_until(lambda: not self._loop.is_running(), seconds=5)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        ways = {
            asyncio.ensure_future(self._copy(reader, up_writer)),
            asyncio.ensure_future(self._copy_back(up_reader, writer)),
        }
        # When one side hangs up, both lines are cut.
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the proxy closes
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            up_writer.close()

    async def _copy_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # An answer of this size comes in one piece.
        while piece := await reader.read(65536):
            if self._chance.random() < self._share:
                self.dropped += 1
                return
            writer.write(piece)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)


class BlackHole(LossyProxy):
    """Passes everything on until `is_black` is set; then it takes what comes, says nothing, and closes no connection."""

    def __init__(self, url: str) -> None:
        super().__init__(url, share=0.0, seed=0)
        self.is_black = False

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            if not self.is_black:
                writer.write(piece)

    _copy_back = _copy
