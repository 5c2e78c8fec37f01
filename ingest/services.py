"""Everything a handler may use, made once a process; the lifespan's typed state."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypedDict

from ingest.connection_shares import Lists, Shares, Turns, open_shares, reading_turns
from ingest.http.endpoint import Body, Params, RequestContext, Who
from ingest.identity.authentication import Authentication
from ingest.identity.lookups import Lookups
from ingest.identity.strangers import answer_gateways
from ingest.metrics import Telemetry
from ingest.models.presenters import Display
from ingest.readiness import Readiness
from ingest.sends.backlog import BacklogMonitor
from ingest.sends.batch import BatchSender
from ingest.sends.delivery_wait import DeliveryWaiter
from ingest.sends.idempotency import IdempotencyKeys
from ingest.sends.intake import Intake
from ingest.sends.recall import Recaller
from ingest.sends.rules import SendPolicy
from ingest.sends.sender import Sender
from ingest.sends.validator import SendValidator
from ingest.settings import IngestSettings
from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.keys.tokens import TokenSettings, TokenVerifier
from storage.media.store import MediaSettings, MediaStore, media_store
from storage.postgres.database import Database
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import DatabaseSettings, DisplaySettings, ValkeySettings, load
from storage.valkey.bus import AsyncBus, BusSettings
from storage.valkey.gateway_reports import Gateways
from storage.valkey.rate_limits import Limits, LimitSettings
from storage.valkey.strangers import Strangers
from storage.valkey.tickets import Tickets, TicketSettings


@dataclass(frozen=True, slots=True)
class Pipes:
    """What leads out of the process."""

    shares: Shares
    doorbell: Doorbell
    bus: AsyncBus
    tickets: Tickets
    limits: Limits
    media: MediaStore
    gateways: Gateways
    strangers: Strangers


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running ingest process."""

    settings: IngestSettings
    pipes: Pipes
    turns: Turns
    lists: Lists
    readiness: Readiness
    authentication: Authentication
    lookups: Lookups
    sender: Sender
    batch_sender: BatchSender
    recaller: Recaller
    delivery_waiter: DeliveryWaiter
    display: Display
    telemetry: Telemetry
    vault: Vault

    @property
    def database(self) -> Database:
        """The record, for what people and apps read and change of their own."""
        return self.pipes.shares.reads

    @property
    def limits(self) -> Limits:
        """What one caller may ask for."""
        return self.pipes.limits


# One request, as a route gets it: who calls, its parameters and its body.
Context: TypeAlias = RequestContext[Services, Who, Params, Body]


class State(TypedDict):
    """What the lifespan gives to every request's scope."""

    services: Services
    document: Callable[[], dict[str, Any]]


# All that this process reads.
SETTINGS = (
    DatabaseSettings,
    ValkeySettings,
    QueueSettings,
    BusSettings,
    TicketSettings,
    LimitSettings,
    MediaSettings,
    TokenSettings,
    VaultSettings,
    DisplaySettings,
    IngestSettings,
)


@asynccontextmanager
async def running(environ: Mapping[str, str], *, telemetry: Telemetry) -> AsyncIterator[Services]:
    """The services of this environment, from start to stop. Connects to nothing before it is asked.

    Raises InvalidSettings. On the way out everything is closed.
    """
    async with AsyncExitStack() as stack:
        pipes = _pipes(environ, stack, telemetry)
        await asyncio.to_thread(pipes.media.prepare)
        settings = load(IngestSettings, environ)
        backlog = BacklogMonitor(
            pipes.shares.probes, cap=settings.accepted_cap, interval=settings.backlog_interval
        )
        services = _services(
            environ, pipes, backlog=backlog, telemetry=telemetry, settings=settings
        )
        for steady in (
            backlog.keep_measuring(telemetry.backlog),
            services.lookups.keep_fresh(),
            answer_gateways(pipes.strangers, pipes.shares.strangers),
        ):
            stack.callback(asyncio.create_task(steady).cancel)
        yield services


def _pipes(environ: Mapping[str, str], stack: AsyncExitStack, telemetry: Telemetry) -> Pipes:
    valkey = load(ValkeySettings, environ)
    pipes = Pipes(
        shares=open_shares(load(DatabaseSettings, environ), telemetry),
        doorbell=Doorbell(load(QueueSettings, environ), tell=telemetry.rang),
        bus=AsyncBus(load(BusSettings, environ), valkey),
        tickets=Tickets(valkey, load(TicketSettings, environ)),
        limits=Limits(valkey, load(LimitSettings, environ), tell_unchecked=telemetry.unchecked.inc),
        media=media_store(load(MediaSettings, environ)),
        gateways=Gateways(valkey),
        strangers=Strangers(valkey),
    )
    on_valkey = (pipes.bus, pipes.tickets, pipes.limits, pipes.gateways, pipes.strangers)
    for closable in (pipes.shares, *on_valkey):
        stack.push_async_callback(closable.close)
    stack.push_async_callback(asyncio.to_thread, pipes.doorbell.close)
    return pipes


def _services(
    environ: Mapping[str, str],
    pipes: Pipes,
    *,
    backlog: BacklogMonitor,
    telemetry: Telemetry,
    settings: IngestSettings,
) -> Services:
    vault = Vault(load(VaultSettings, environ))
    shares = pipes.shares
    lists = Lists(shares.lists)
    lookups = Lookups(shares.sends, strangers=shares.strangers, vault=vault, settings=settings)
    verifier = TokenVerifier(load(TokenSettings, environ))
    clock = partial(datetime.now, UTC)
    validator = SendValidator(
        lookups,
        lists,
        media=pipes.media,
        policy=SendPolicy(settings.content_limit_bytes, settings.schedule_ahead),
        clock=clock,
    )
    intake = Intake(
        shares.sends,
        doorbell=pipes.doorbell,
        backlog=backlog,
        telemetry=telemetry,
        settings=settings,
    )
    keys = IdempotencyKeys(shares.sends, settings=settings)
    return Services(
        settings=settings,
        pipes=pipes,
        turns=reading_turns(),
        lists=lists,
        readiness=Readiness(),
        authentication=Authentication(verifier, lookups, window=settings.signature_window),
        lookups=lookups,
        sender=Sender(validator, intake, keys=keys, limits=pipes.limits),
        batch_sender=BatchSender(validator, intake, keys=keys, limits=pipes.limits),
        recaller=Recaller(
            shares.reads,
            doorbell=pipes.doorbell,
            limit=timedelta(hours=settings.recall_hours),
            clock=clock,
        ),
        delivery_waiter=DeliveryWaiter(shares.sends),
        display=Display(load(DisplaySettings, environ).time_zone, pipes.media),
        telemetry=telemetry,
        vault=vault,
    )
