"""What a gateway does beside reading the bus, for as long as it runs. Started and ended by `app.py`."""

import asyncio
import logging
import signal
import time
from collections.abc import Collection, Coroutine
from contextlib import suppress
from itertools import cycle

from push_gateway.gateway import Gateway
from push_gateway.metrics import GatewayMetrics
from push_gateway.recent_pushes import RecentPushes
from storage.model.errors import TransientError
from storage.valkey.bus import AsyncBus
from storage.valkey.event_json import SHARDS
from storage.valkey.gateway_reports import GatewayReports
from storage.valkey.push_questions import PushAnswer, PushQuestions

CHECK_SECONDS = 1.0
REPORT_SECONDS = 1.0
MAINTENANCE_SECONDS = 1.0
ROUND_SECONDS = 8.0  # within which everyone who is connected is asked after once
CANCEL_AGAIN_SECONDS = 0.1

log = logging.getLogger(__name__)


def start_tasks(*work: Coroutine[None, None, None]) -> list[asyncio.Task[None]]:
    """Start these as tasks that run until `cancel_all`; if one of them fails, the process ends.

    A gateway without its feed would hold sockets and tell them nothing: it is better started again.
    """
    tasks = [asyncio.create_task(one) for one in work]
    for task in tasks:
        task.add_done_callback(_stop_if_failed)
    return tasks


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until all of them have ended.

    Once is not enough before Python 3.12: `asyncio.wait_for`, with which redis-py writes, drops a
    cancellation that comes in the moment in which it is done, and the task would go on for ever.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_SECONDS)


async def check_connections(gateway: Gateway) -> None:
    """Every second, close the clients whose token has ended and those that are silent."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        gateway.close_expired_and_silent(now=time.time(), loop_now=loop.time())


async def disconnect_disabled(gateway: Gateway, bus: AsyncBus) -> None:
    """Ask the bus about everyone who is connected, a shard at a time, and close who is disabled.

    A DISCONNECT can be lost with a restart of Valkey, or fall out of a full stream; and after a wipe the bus knows
    who is disabled only when the record has told it again
    (docs/decisions/0031-who-is-disabled-and-who-is-nobody.md).
    """
    for shard in cycle(range(SHARDS)):
        await asyncio.sleep(ROUND_SECONDS / SHARDS)
        if user_ids := gateway.find_user_ids(shard):
            with suppress(TransientError):  # asked again with the next round
                gateway.disconnect_users(await bus.find_disabled(user_ids))


async def maintain_bus(bus: AsyncBus, metrics: GatewayMetrics) -> None:
    """Every second, have the bus trimmed, and see whether Valkey takes writes.

    The workers' sweep does so too, but it is started by a task of beat's, which a full Valkey refuses.
    """
    was_writable = True
    while True:
        try:
            metrics.bus_bytes.set((await bus.trim()).bytes)
            await bus.probe()
        except TransientError as error:
            if was_writable:
                log.warning("Valkey takes no writes: %s", error.__cause__ or error.detail)
            was_writable = False
        else:
            was_writable = True
        metrics.bus_writable.set(was_writable)
        await asyncio.sleep(MAINTENANCE_SECONDS)


async def report_counts(
    gateways: GatewayReports, questions: PushQuestions, name: str, gateway: Gateway
) -> None:
    """Every second, write to Valkey how this process is doing, and answer what operators ask of messages.

    For doctor and the console. Nobody waits for it, and what could not be written is written the next time.
    """
    while True:
        with suppress(TransientError):
            await gateways.report(name, gateway.collect_counts())
            if asked := await questions.find_asked():
                recent = gateway.dispatcher.recent_pushes
                await questions.answer(name, {id: _answer(recent, id) for id in asked})
        await asyncio.sleep(REPORT_SECONDS)


def _answer(recent: RecentPushes, message_id: int) -> PushAnswer:
    found = recent.find(message_id)
    if found is None:
        return PushAnswer(0, None, recent.since_ms)
    return PushAnswer(found.sockets, found.at_ms, recent.since_ms)


def _stop_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("A part of the gateway failed; it stops.", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
