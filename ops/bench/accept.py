"""`make bench-accept`: one ingest process against the same server echoing the body; and the latency.

64 clients on kept connections, private messages of 64 senders to 1,000 receivers. No workers run while
accepting is measured: what is accepted waits, and is gone before the next round. Before that, with
everything running, the time from a request to its frame at a steady 200 a second.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import click
import psycopg
import uvloop
from websockets.asyncio.client import connect

from ops.bench.bench_environment import (
    OUT,
    BenchEnvironment,
    make_uvicorn_command,
    open_bench_environment,
    percentile,
    print_table,
    run_server,
)
from ops.bench.load import ask
from ops.bench.people import make_people
from ops.local.ports import find_free_port
from storage.keys.tokens import TokenSettings, issue_token
from storage.settings import load

CLIENTS = 64
RECEIVERS = 1_000
BODY = {"type": "MESSAGE", "content_type": "TEXT", "title": "私信", "content": "你好,这是一条私信"}


def make_token(environment: BenchEnvironment, user_id: int) -> str:
    """A token of this person, good for an hour."""
    settings = load(TokenSettings, environment.environ)
    return issue_token(settings, user_id, ttl_seconds=3600, now=time.time())


def make_request(host: str, bearer: str, fields: dict[str, Any]) -> str:
    """A send as it goes over the wire: an HTTP request with head and body."""
    body = json.dumps(BODY | fields, ensure_ascii=False)
    return (
        f"POST /api/v1/messages/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {bearer}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
    )


def make_orders(environment: BenchEnvironment, url: str, *, seconds: float) -> dict[str, Any]:
    """What the load client is to send, and where (`ops/bench/load.py`): 50 requests for each of 64 senders."""
    where = urlsplit(url)
    callers = []
    for sender in range(1, CLIENTS + 1):
        bearer = make_token(environment, sender)
        receivers = [(sender * 131 + number * 17) % RECEIVERS + 1 for number in range(50)]
        callers.append(
            [make_request(where.netloc, bearer, {"receiver_id": one}) for one in receivers]
        )
    return {"host": where.hostname, "port": where.port, "callers": callers, "seconds": seconds}


def run_load(environment: BenchEnvironment, url: str, *, seconds: float) -> dict[str, Any]:
    """Load `url` from a process of its own for `seconds`; returns what that process measured."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.bench.load"],
        input=json.dumps(make_orders(environment, url, seconds=seconds)),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def empty_accepted(environment: BenchEnvironment) -> None:
    """Forget the sends that wait: no worker takes them away here, and in no deployment would so many wait."""
    with psycopg.connect(environment.driver_url, autocommit=True) as connection:
        connection.execute("TRUNCATE accepted")


def measure_accept(environment: BenchEnvironment, *, seconds: float, rounds: int) -> None:
    """Load the echo and ingest in turns, and print the figures. Both servers run all the time."""
    ports = {"echo": find_free_port(), "ingest": find_free_port()}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    found: dict[str, list[dict[str, Any]]] = {"echo": [], "ingest": []}
    echo = make_uvicorn_command("ops.bench.echo:create_app", ports["echo"])
    ingest = make_uvicorn_command("ingest.app:create_app", ports["ingest"])
    path = "/api/v1/messages/"
    with (
        run_server("echo", echo, urls["echo"] + path, environ=environment.environ),
        run_server("ingest", ingest, urls["ingest"] + path, environ=environment.environ),
    ):
        for url in urls.values():
            run_load(environment, url, seconds=1)
        for number in range(1, rounds + 1):
            for name, url in urls.items():
                found[name].append(run_load(environment, url, seconds=seconds))
            empty_accepted(environment)
            echoed, accepted = (found[name][-1]["per_second"] for name in urls)
            OUT.print(f"round {number}: echo {echoed:,.0f}/s, accepted {accepted:,.0f}/s")
    _show_accept(found)


def _show_accept(found: dict[str, list[dict[str, Any]]]) -> None:
    floor = statistics.median(r["per_second"] for r in found["echo"])
    rows = []
    for name, results in found.items():
        middle = sorted(results, key=lambda r: r["per_second"])[len(results) // 2]
        rows.append(
            (
                name,
                f"{middle['per_second']:,.0f}",
                f"{middle['per_second'] / floor:.2f}",
                f"{middle['p50'] * 1000:.1f}",
                f"{middle['p99'] * 1000:.1f}",
                f"{middle['client_cpu']:.0%}",
                str(sum(r["failed"] for r in results) if name == "ingest" else 0),
            )
        )
    header = ("", "requests/s", "ratio (≥ 0.40)", "p50 ms", "p99 ms", "client CPU", "not 200")
    print_table(f"accept, one process, {CLIENTS} clients", header, rows)
    if any(result["failed"] for result in found["ingest"]):
        raise click.ClickException("What was refused was counted: these are not the figures.")


async def _measure_delays(
    environment: BenchEnvironment, *, rate: int, seconds: float
) -> list[float]:
    """Seconds from a request to its frame on the receiver's socket.

    Requests leave at their time, whether or not those before have been answered; one that finds all
    `CLIENTS` connections taken waits, and its wait counts.
    """
    where = urlsplit(environment.url)
    bearer, total = make_token(environment, 1), int(rate * seconds)
    fields = [{"receiver_id": RECEIVERS, "title": str(number)} for number in range(total)]
    requests = [make_request(where.netloc, bearer, one).encode() for one in fields]
    sent: list[float] = []
    arrived: dict[int, float] = {}
    free = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    for _ in range(CLIENTS):
        free.put_nowait(await asyncio.open_connection(where.hostname, where.port))

    async def send(number: int) -> None:
        connection = await free.get()
        if not await ask(*connection, requests[number]):
            raise RuntimeError("a send was refused: there is no latency to tell")
        free.put_nowait(connection)

    async def listen() -> None:
        while len(arrived) < total:
            frame = json.loads(await socket.recv())
            if frame["type"] == "NEW_MESSAGE":
                arrived[int(frame["data"]["title"])] = time.perf_counter()

    address = f"ws://{where.netloc}/api/v1/ws/messages?token="
    async with (
        connect(address + make_token(environment, RECEIVERS)) as socket,
        asyncio.timeout(seconds + 30),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(listen())
        began = time.perf_counter()
        for number in range(total):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            sent.append(time.perf_counter())
            tasks.create_task(send(number))
    while not free.empty():
        free.get_nowait()[1].close()
    return [arrived[number] - at for number, at in enumerate(sent)]


def measure_latency(environment: BenchEnvironment, *, rate: int, seconds: float) -> None:
    """Print the time from request to frame through the whole stack: one sender, one receiver with a socket."""
    with environment.run_processes("web", "worker-sends", "worker-upkeep", "beat"):
        uvloop.run(_measure_delays(environment, rate=50, seconds=2))
        delays = uvloop.run(_measure_delays(environment, rate=rate, seconds=seconds))
    rows = [
        ("p50", f"{percentile(delays, 0.50) * 1000:.1f}", "15"),
        ("p99", f"{percentile(delays, 0.99) * 1000:.1f}", "60"),
    ]
    print_table(
        f"request to frame at {rate}/s, {len(delays):,} messages", ("", "ms", "at most"), rows
    )


@click.command()
@click.option("--seconds", default=8.0, show_default=True, help="A round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--rate", default=200, show_default=True, help="Messages a second for the latency.")
def main(*, seconds: float, rounds: int, rate: int) -> None:
    """Measure and print."""
    # No worker takes anything away: what is accepted must not meet the cap, and be refused, on the way.
    with open_bench_environment(CARILLON_ACCEPTED_CAP="1000000000") as environment:
        make_people(environment.database, RECEIVERS)
        measure_latency(environment, rate=rate, seconds=seconds)
        measure_accept(environment, seconds=seconds, rounds=rounds)


if __name__ == "__main__":
    main()
