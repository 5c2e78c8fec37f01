"""What one ingest process holds open: settings, clients of the servers behind it, and what is built of them.

Made once, when the process starts (`app.py`), and given to every route with its request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypedDict

from ingest.app_event_waits import AppEventWaiter
from ingest.connection_shares import (
    CallerSlots,
    ConnectionShares,
    ListSlots,
    open_shares,
    slots_for_reads,
)
from ingest.http.body import BodyReader
from ingest.http.endpoint import Body, Params, RequestContext, Who
from ingest.identity.authentication import CallerAuthenticator
from ingest.identity.lookups import Lookups
from ingest.identity.strangers import answer_gateways
from ingest.metrics import IngestMetrics
from ingest.models.presenters import Presenter
from ingest.readiness import Readiness
from ingest.sends.backlog import BacklogMonitor
from ingest.sends.batch import BatchSender
from ingest.sends.cards import CardEditor
from ingest.sends.delivery_wait import DeliveryWaiter
from ingest.sends.idempotency import IdempotencyKeys
from ingest.sends.intake import Intake
from ingest.sends.preview import Previewer
from ingest.sends.recall import Recaller
from ingest.sends.rules import SendPolicy
from ingest.sends.sender import Sender
from ingest.sends.validator import SendValidator
from ingest.settings import InboxSettings, IngestSettings
from storage.broker.doorbell import Doorbell
from storage.broker.queues import QueueSettings
from storage.keys.tokens import TokenSettings, TokenVerifier
from storage.media.store import MediaSettings, MediaStore, make_media_store
from storage.model.cross_origin import AllowedOrigins
from storage.postgres.database import Database
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import DatabaseSettings, DisplaySettings, OriginSettings, ValkeySettings, load
from storage.valkey.bus import AsyncBus
from storage.valkey.bus_streams import BusSettings
from storage.valkey.gateway_reports import GatewayReports
from storage.valkey.nonces import UsedNonces
from storage.valkey.push_questions import PushQuestions
from storage.valkey.rate_limits import LimitSettings, RateLimiter
from storage.valkey.strangers import Strangers
from storage.valkey.tickets import Tickets, TicketSettings


@dataclass(frozen=True, slots=True)
class Backends:
    """The clients of everything that lies outside of the process: PostgreSQL, broker, Valkey, media store."""

    shares: ConnectionShares
    doorbell: Doorbell
    bus: AsyncBus
    tickets: Tickets
    limits: RateLimiter
    media: MediaStore
    gateways: GatewayReports
    push_questions: PushQuestions
    strangers: Strangers
    nonces: UsedNonces


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running ingest process."""

    settings: IngestSettings
    backends: Backends
    slots: CallerSlots
    list_slots: ListSlots
    readiness: Readiness
    authenticator: CallerAuthenticator
    lookups: Lookups
    sender: Sender
    batch_sender: BatchSender
    previewer: Previewer
    recaller: Recaller
    card_editor: CardEditor
    delivery_waiter: DeliveryWaiter
    app_event_waiter: AppEventWaiter
    presenter: Presenter
    body_reader: BodyReader
    metrics: IngestMetrics
    vault: Vault

    @property
    def database(self) -> Database:
        """PostgreSQL, through the connections for what people and apps read and change of their own."""
        return self.backends.shares.reads

    @property
    def limits(self) -> RateLimiter:
        """The limits of what one caller may ask for."""
        return self.backends.limits


# One request, as a route gets it: who calls, its parameters and its body.
Context: TypeAlias = RequestContext[Services, Who, Params, Body]


class LifespanState(TypedDict):
    """What the lifespan puts into the scope of every request, under `state`.

    `document` builds `/openapi.json`; `mounted` are the paths of all routes, so that pages link what is there.
    """

    services: Services
    document: Callable[[], dict[str, Any]]
    mounted: frozenset[str]
    # For the server, which answers before any application is asked (`ops/http/refusals.py`).
    allowed_origins: AllowedOrigins


# Every class of settings that this process reads.
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
    OriginSettings,
    IngestSettings,
    InboxSettings,
)


@asynccontextmanager
async def open_services(
    environ: Mapping[str, str], *, metrics: IngestMetrics
) -> AsyncIterator[Services]:
    """The services that these environment variables describe, open until the end of the block and then closed.

    Nothing connects to a server before it is asked something. Raises InvalidSettings.
    """
    async with AsyncExitStack() as stack:
        backends = _open_backends(environ, stack, metrics)
        await asyncio.to_thread(backends.media.prepare)
        settings = load(IngestSettings, environ)
        backlog = BacklogMonitor(
            backends.shares.probes, cap=settings.accepted_cap, interval=settings.backlog_interval
        )
        services = _build_services(
            environ, backends, backlog=backlog, metrics=metrics, settings=settings
        )
        for background_task in (
            backlog.keep_measuring(metrics.show_backlog),
            services.lookups.keep_fresh(),
            answer_gateways(backends.strangers, backends.shares.strangers),
        ):
            stack.callback(asyncio.create_task(background_task).cancel)
        yield services


def _open_backends(
    environ: Mapping[str, str], stack: AsyncExitStack, metrics: IngestMetrics
) -> Backends:
    valkey = load(ValkeySettings, environ)
    backends = Backends(
        shares=open_shares(load(DatabaseSettings, environ), metrics),
        doorbell=Doorbell(load(QueueSettings, environ), tell=metrics.count_ring),
        bus=AsyncBus(load(BusSettings, environ), valkey),
        tickets=Tickets(valkey, load(TicketSettings, environ)),
        limits=RateLimiter(
            valkey, load(LimitSettings, environ), tell_unchecked=metrics.limits_unchecked.inc
        ),
        media=make_media_store(load(MediaSettings, environ)),
        gateways=GatewayReports(valkey),
        push_questions=PushQuestions(valkey),
        strangers=Strangers(valkey),
        nonces=UsedNonces(valkey),
    )
    on_valkey = (
        backends.bus,
        backends.tickets,
        backends.limits,
        backends.gateways,
        backends.push_questions,
        backends.strangers,
        backends.nonces,
    )
    for closable in (backends.shares, *on_valkey):
        stack.push_async_callback(closable.close)
    stack.push_async_callback(asyncio.to_thread, backends.doorbell.close)
    return backends


def _build_services(
    environ: Mapping[str, str],
    backends: Backends,
    *,
    backlog: BacklogMonitor,
    metrics: IngestMetrics,
    settings: IngestSettings,
) -> Services:
    vault = Vault(load(VaultSettings, environ))
    shares = backends.shares
    list_slots = ListSlots(shares.lists)
    lookups = Lookups(shares.sends, strangers=shares.strangers, vault=vault, settings=settings)
    verifier = TokenVerifier(load(TokenSettings, environ))
    clock = partial(datetime.now, UTC)
    validator = SendValidator(
        lookups,
        list_slots,
        media=backends.media,
        policy=SendPolicy(settings.content_limit_bytes, settings.schedule_ahead),
        clock=clock,
    )
    intake = Intake(
        shares.sends,
        doorbell=backends.doorbell,
        backlog=backlog,
        metrics=metrics,
        settings=settings,
    )
    keys = IdempotencyKeys(shares.sends, settings=settings)
    presenter = Presenter(load(DisplaySettings, environ).time_zone, backends.media)
    return Services(
        settings=settings,
        backends=backends,
        slots=slots_for_reads(),
        list_slots=list_slots,
        readiness=Readiness(),
        authenticator=CallerAuthenticator(
            verifier,
            lookups,
            nonces=backends.nonces,
            window=settings.signature_window,
            tell_unchecked=metrics.nonces_unchecked.inc,
        ),
        lookups=lookups,
        sender=Sender(validator, intake, keys=keys, limits=backends.limits),
        batch_sender=BatchSender(validator, intake, keys=keys, limits=backends.limits),
        previewer=Previewer(validator, list_slots, limits=backends.limits),
        recaller=Recaller(
            shares.reads,
            doorbell=backends.doorbell,
            limit=timedelta(hours=settings.recall_hours),
            clock=clock,
        ),
        card_editor=CardEditor(
            shares.reads,
            validator,
            presenter=presenter,
            doorbell=backends.doorbell,
            limits=backends.limits,
        ),
        delivery_waiter=DeliveryWaiter(shares.sends),
        app_event_waiter=AppEventWaiter(shares.reads),
        presenter=presenter,
        body_reader=BodyReader(timeout=settings.body_timeout),
        metrics=metrics,
        vault=vault,
    )
