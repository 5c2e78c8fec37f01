"""A load client that is cheap enough not to be the bottleneck: raw HTTP/1.1 over asyncio and uvloop.

Runs as a process of its own (`python -m ops.bench.load`), reads its orders as JSON from stdin and
writes what it measured as JSON to stdout.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    """Send one request on a kept connection and read its answer; whether that was a 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
    await reader.readexactly(int(length))
    return head[9:12] == b"200"


async def _send_as_caller(
    host: str, port: int, requests: list[bytes], *, until: float, log: list[float]
) -> int:
    """Send the requests one after the other, round and round; returns how many were not 200."""
    reader, writer = await asyncio.open_connection(host, port)
    failed = number = 0
    while (began := time.perf_counter()) < until:
        failed += not await ask(reader, writer, requests[number % len(requests)])
        log.append(time.perf_counter() - began)
        number += 1
    writer.close()
    return failed


async def _run(orders: dict[str, Any]) -> dict[str, Any]:
    until = time.perf_counter() + orders["seconds"]
    log: list[float] = []
    busy = time.process_time()
    failed = await asyncio.gather(
        *(
            _send_as_caller(
                orders["host"], orders["port"], [r.encode() for r in one], until=until, log=log
            )
            for one in orders["callers"]
        )
    )
    log.sort()
    return {
        "answers": len(log),
        "failed": sum(failed),
        "per_second": len(log) / orders["seconds"],
        "p50": log[len(log) // 2],
        "p99": log[int(len(log) * 0.99)],
        "client_cpu": (time.process_time() - busy) / orders["seconds"],
    }


if __name__ == "__main__":
    json.dump(uvloop.run(_run(json.load(sys.stdin))), sys.stdout)
