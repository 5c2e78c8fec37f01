"""Servers of apps that behave, and that do not: each connection is given to a function that does as it likes."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer], Awaitable[None]]

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


async def read_request(reader: Reader) -> tuple[str, dict[str, str], bytes]:
    """The request's first line, its headers by their names in lower case, and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", "0")))


def answer(*parts: bytes, pause: float = 0.0) -> Behaviour:
    """A server that reads a request and sends these bytes, with a pause behind each of them."""

    async def behave(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


def answer_for_ever(part: bytes, *, pause: float = 0.0) -> Behaviour:
    """A server that reads a request, and sends these bytes again and again for as long as somebody listens."""

    async def behave(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


async def accept_and_hang(reader: Reader, _writer: Writer) -> None:
    """Read whatever comes and never answer."""
    while await reader.read(65536):
        pass


@contextmanager
def serve(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a free port of 127.0.0.1, which is given; every connection is ended with the server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="endpoint", daemon=True)
    thread.start()

    writers: list[Writer] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        writers.append(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await behave(reader, writer)
                await writer.drain()
        finally:
            writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
