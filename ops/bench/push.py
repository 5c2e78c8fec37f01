"""`make bench-push`: events to many sockets of one gateway process, beside a bare loop of writes.

At a pace, one event goes to everyone, and the next when all sockets have it. In a burst many events go at once. Rounds of
the gateway and of the floor take turns, because the machine is shared, and the median round counts. "By CPU" is the floor's
CPU seconds over the gateway's for as many deliveries: what a core carries, however busy the machine is.

Measured besides: single messages to single people, memory a socket, handshakes beside plain uvicorn's, and the pace of two
processes on one port. Those two need a core each, and the client a third. On a machine with fewer cores only their CPU a
million deliveries is comparable: if it is that of one process, two would carry twice as much.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psutil

from ops.bench.bench_environment import percentile, print_table
from ops.bench.push_floor import FRAME_BYTES
from ops.bench.push_servers import (
    Publisher,
    Server,
    measure_cpu_seconds,
    measure_plain,
    run_floor,
    run_ours,
)

WARM_UP, MILLION = 2, 1e6
SINGLE_ROUNDS = 11  # one round catches or misses a collection of cyclic garbage by chance


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: deliveries a second, CPU seconds of server and client, and all delays."""

    rate: float
    server_cpu: float
    client_share: float
    delays: list[float]


def measure_round(server: Server, *, events: int, together: bool) -> Round:
    """Let every socket get `events` frames: all at once if `together`, else each event when all sockets have the one before."""
    process = psutil.Process(server.pid)
    cpu, began, client_cpu = measure_cpu_seconds(process), time.monotonic(), 0.0
    delays: list[float] = []
    answer: dict[str, Any] = {}
    for _ in range(1 if together else events):
        since = time.monotonic()
        server.load.order(do="expect", frames=events if together else 1, since=since)
        server.fire(events if together else 1)
        answer = server.load.read_answer()
        client_cpu += answer["cpu"]
        delays += answer["delays"]
    seconds = answer["at"] - began
    spent = measure_cpu_seconds(process) - cpu
    return Round(events * server.sockets / seconds, spent, client_cpu / seconds, delays)


def measure_singles(server: Server, publisher: Publisher) -> Round:
    """Let every socket get one frame that is for its person alone. The round has no delays."""
    process = psutil.Process(server.pid)
    cpu, began = measure_cpu_seconds(process), time.monotonic()
    server.load.order(do="expect", frames=1, since=None)
    publisher.publish_to_each()
    answer = server.load.read_answer()
    seconds = answer["at"] - began
    spent = measure_cpu_seconds(process) - cpu
    return Round(server.sockets / seconds, spent, answer["cpu"] / seconds, [])


def compare(
    server: Server, other: Server, *, rounds: int, events: int, together: bool
) -> tuple[list[Round], list[Round]]:
    """The rounds of both servers, in turns, after a warm-up."""
    for one in (server, other):
        measure_round(one, events=WARM_UP, together=together)
    pairs = [
        (
            measure_round(server, events=events, together=together),
            measure_round(other, events=events, together=together),
        )
        for _ in range(rounds)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def make_row(name: str, rounds: tuple[list[Round], list[Round]], *, deliveries: int) -> list[str]:
    """A row of the table: rates, their ratio, delays, and CPU, which depends less on how busy the machine is."""
    mine, theirs = rounds
    ratio = statistics.median(a.rate / b.rate for a, b in zip(mine, theirs, strict=True))
    delays = [delay for one in mine for delay in one.delays]
    share = statistics.median(one.client_share for one in mine)
    return [
        name,
        *(f"{statistics.median(one.rate for one in which):,.0f}" for which in (mine, theirs)),
        f"{ratio:.2f}",
        f"{_median_cpu(theirs) / _median_cpu(mine):.2f}",
        *(f"{percentile(delays, part) * 1000:.1f} ms" for part in (0.5, 0.99)),
        *(f"{_median_cpu(which) / deliveries * MILLION:.1f} s" for which in (mine, theirs)),
        f"{share:.0%}",
    ]


def _median_cpu(rounds: list[Round]) -> float:
    return statistics.median(one.server_cpu for one in rounds)


def measure_two_processes(sockets: int, *, rounds: int, pace: int) -> list[Round]:
    """The rounds at a pace of a gateway of two processes, each with about half of the sockets."""
    with (
        tempfile.TemporaryDirectory(prefix="carillon-push-") as name,
        run_ours(Path(name), sockets, workers=2) as (server, _, _),
    ):
        measure_round(server, events=WARM_UP, together=False)
        return [measure_round(server, events=pace, together=False) for _ in range(rounds)]


def bench(sockets: int, *, rounds: int, pace: int, burst: int) -> None:
    """Measure with so many sockets, and print the tables."""
    with tempfile.TemporaryDirectory(prefix="carillon-push-") as name, ExitStack() as stack:
        folder = Path(name)
        stock = measure_plain(folder, sockets)
        server, publisher, found = stack.enter_context(run_ours(folder, sockets))
        other = stack.enter_context(run_floor(sockets))
        paced = compare(server, other, rounds=rounds, events=pace, together=False)
        burst_rounds = compare(server, other, rounds=rounds, events=burst, together=True)
        singles = [measure_singles(server, publisher) for _ in range(SINGLE_ROUNDS)]
    two = measure_two_processes(sockets, rounds=rounds, pace=pace)
    header = [
        "",
        "ours/s",
        "floor/s",
        "ratio",
        "by CPU",
        "p50",
        "p99",
        "CPU/1M",
        "floor's",
        "client",
    ]
    rows = [
        make_row("pace", paced, deliveries=pace * sockets),
        make_row("burst", burst_rounds, deliveries=burst * sockets),
    ]
    one = paced[0]
    ratio = statistics.median(r.rate for r in two) / statistics.median(r.rate for r in one)
    by_cpu = 2 * _median_cpu(one) / _median_cpu(two)
    print_table(f"{sockets:,} sockets, frames of {FRAME_BYTES} bytes to everyone", header, rows)
    rows = [
        ["connects/s", f"{found['connects']:,.0f}", f"{stock['connects']:,.0f}"],
        ["CPU a connect", f"{found['cpu'] * MILLION:,.0f} µs", f"{stock['cpu'] * MILLION:,.0f} µs"],
        ["KiB a socket", f"{found['bytes'] / 1024:.1f}", f"{stock['bytes'] / 1024:.1f}"],
        ["single deliveries/s", f"{statistics.median(one.rate for one in singles):,.0f}", ""],
        [
            "CPU a single delivery",
            f"{_median_cpu(singles) / sockets * MILLION:.1f} µs",
            "",
        ],
        ["two processes / one, at a pace", f"{ratio:.2f} × ({by_cpu:.2f} × by CPU)", ""],
    ]
    print_table("", ["", "ours", "plain uvicorn"], rows)


@click.command()
@click.option("--sockets", default=(1_000, 10_000), multiple=True, help="May be repeated.")
@click.option("--rounds", default=5, help="Of ours and the floor, in turns.")
@click.option("--pace", default=20, help="Events a round, one after the other.")
@click.option("--burst", default=16, help="Events at once.")
def main(sockets: Sequence[int], rounds: int, pace: int, burst: int) -> None:
    """Measure deliveries to sockets beside a bare loop of writes, and print tables."""
    for number in sockets:
        bench(number, rounds=rounds, pace=pace, burst=burst)


if __name__ == "__main__":
    main()
