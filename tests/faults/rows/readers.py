"""Rows 25, 27 and 29: clients that stop reading, fall silent, or outlive their token."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import psutil
from websockets.asyncio.client import connect

from ops.local.polling import wait_until
from storage.keys.tokens import issue_token
from storage.model.event import NewMessage
from storage.valkey.bus import Bus
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import p99
from tests.faults.proxy import BlackHole
from tests.faults.rows.push import serve_gateway
from tests.push_gateway.running import PATH, TOKENS, Client, Gateway, a_message, token
from tests.push_gateway.wire import shake_hands

READER, DEAF = 1, 17  # of one shard: the gateway keeps an event once for each
TALE = "说" * 1000  # 3 KB: a client that does not read is full after four hundred
GONE_SECONDS, SILENT_SECONDS, EXPIRED_SECONDS = 25.0, 120.0, 2.0
_ids = count(time.time_ns() // 1000)


def stop_reading(environment: FaultEnvironment) -> Findings:
    """25: a client reads no more: it is gone in 25 s, others notice nothing, memory stays."""
    rounds = environment.scale(short=500, full=2000)
    with serve_gateway(environment) as (gateway, bus):
        reader = gateway.connect(READER)
        _measure(gateway, lambda: _measure_telling(bus, reader, [READER]), rounds=20)
        # The gateway keeps recent events for those who resume: as many in both parts.
        alone, grown_alone = _measure(
            gateway, lambda: _measure_telling(bus, reader, [READER]), rounds=rounds
        )
        began = time.monotonic()
        with _connect_deaf_client(gateway, DEAF):
            beside, grown = _measure(
                gateway, lambda: _measure_telling(bus, reader, [READER, DEAF]), rounds=rounds
            )
            gone = wait_until(lambda: _count_closes(gateway, 4408) == 1, seconds=GONE_SECONDS)
        seconds = time.monotonic() - began
        gateway.part()
    found = Findings(
        {
            "gone_s": round(seconds, 1),
            "p99 ms alone": round(p99(alone) * 1000, 1),
            "p99 ms beside": round(p99(beside) * 1000, 1),
            "rss + KiB": (grown - grown_alone) // 1024,
        }
    )
    found.must(gone, "who does not read is closed with 4408")
    found.must(seconds <= GONE_SECONDS, "it is gone within 25 s")
    found.must(p99(beside) <= 3 * p99(alone) + 0.005, "the others' p99 is unchanged")
    found.must(grown - grown_alone < 2 << 20, "RSS grows by less than 2 MiB")
    return found


def fall_silent(environment: FaultEnvironment) -> Findings:
    """27: a line goes dead without a word (a black hole): its socket is gone in 120 s, others stay."""
    settings = {"CARILLON_PUSH_SILENCE_SECONDS": "6"} if environment.is_short else {}
    with (
        serve_gateway(environment, **settings) as (gateway, _),
        BlackHole(f"http://127.0.0.1:{gateway.port}") as hole,
    ):
        address = hole.url.replace("http", "ws")
        lost = gateway.open(f"{address}{PATH}?token={token(DEAF)}", ping_interval=None)
        alive = gateway.connect(READER)
        lost.ping()
        hole.is_black = True
        began = time.monotonic()
        gone = wait_until(
            lambda: gateway.metric("carillon_sockets_open") == 1, seconds=SILENT_SECONDS
        )
        seconds = time.monotonic() - began
        alive.ping()
    found = Findings({"gone_s": round(seconds, 1)})
    found.must(gone, "the silent one is gone within 120 s, the other is still there")
    return found


def outlive_tokens(environment: FaultEnvironment) -> Findings:
    """29: tokens expire on live sockets: 4401 within 2 s of each, and not before."""
    number = environment.scale(short=20, full=500)
    with serve_gateway(environment) as (gateway, _):
        spans = [environment.chance.uniform(3.0, 8.0) for _ in range(number)]
        late = asyncio.run(_expire(gateway, spans))
    ends = [seconds for code, seconds in late if code == 4401]
    found = Findings({"sockets": number, "latest_s": round(max(ends, default=-1.0), 2)})
    found.must(len(ends) == number, f"4401 to all ({[code for code, _ in late if code != 4401]})")
    allowed = environment.relax(EXPIRED_SECONDS)
    found.must(all(0 <= one <= allowed for one in ends), "after the end, within 2 s of it")
    return found


async def _expire(gateway: Gateway, spans: Sequence[float]) -> list[tuple[int, float]]:
    """How each socket was closed, and how long after the end of its token."""
    return await asyncio.gather(
        *(_outlive(gateway, user, span) for user, span in enumerate(spans, 1))
    )


async def _outlive(gateway: Gateway, user_id: int, span: float) -> tuple[int, float]:
    now = time.time()
    url = gateway.url(token=issue_token(TOKENS, user_id, ttl_seconds=span, now=now))
    async with connect(url, compression=None, open_timeout=20) as client:
        await client.wait_closed()
        return client.close_code or 1006, time.time() - int(now + span)


@contextmanager
def _connect_deaf_client(gateway: Gateway, user_id: int) -> Iterator[None]:
    """Connect a client that never reads, and whose kernel holds 4 KiB for it, until the end of the block."""
    target = f"{PATH}?token={token(user_id)}"
    peer = shake_hands(gateway.port, target, receive_bytes=4096)
    with peer.sock, peer.stream:
        yield


def _measure(
    gateway: Gateway, tell: Callable[[], float], *, rounds: int
) -> tuple[list[float], int]:
    """The delays of so many rounds, and by how many bytes the process was larger than before, at most."""
    before, most, delays = _read_rss(gateway), 0, []
    for _ in range(rounds):
        delays.append(tell())
        most = max(most, _read_rss(gateway))
    return delays, most - before


def _measure_telling(bus: Bus, reader: Client, user_ids: Sequence[int]) -> float:
    """Publish one long message to these people and return the seconds until the reader has it."""
    message = a_message(next(_ids))._replace(content=TALE)
    began = time.perf_counter()
    bus.publish([NewMessage(message, message.content, ((3, tuple(user_ids)),))])
    while reader.frame()["data"]["id"] != message.id:
        pass
    return time.perf_counter() - began


def _count_closes(gateway: Gateway, code: int) -> int:
    return int(gateway.metric(f'carillon_socket_closes_total{{code="{code}"}}'))


def _read_rss(gateway: Gateway) -> int:
    assert gateway.process is not None
    return psutil.Process(gateway.process.pid).memory_info().rss
