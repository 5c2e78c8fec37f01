"""Settings of the push gateway; those it shares with other processes are declared in storage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from storage.keys.tokens import TokenSettings
from storage.setting_parsers import duration, whole_number
from storage.settings import DisplaySettings, OriginSettings, ValkeySettings, check, load, setting
from storage.valkey.bus_streams import BusSettings
from storage.valkey.tickets import TicketSettings


@dataclass(frozen=True, slots=True)
class PushSettings:
    """What a socket may do and cost."""

    connections: int = setting(
        "CARILLON_PUSH_CONNECTIONS",
        50_000,
        parse=whole_number(1, 10_000_000),
        help="Sockets one process holds at most; further ones are closed with 1013.",
    )
    connections_per_user: int = setting(
        "CARILLON_PUSH_CONNECTIONS_PER_USER",
        10,
        parse=whole_number(1, 1000),
        help="Sockets a person has at most in one process; one more takes the place of one that has been silent for "
        "40 s (closed with 4501), or is answered 429.",
    )
    buffer_bytes: int = setting(
        "CARILLON_PUSH_BUFFER_BYTES",
        1024 * 1024,
        parse=whole_number(64 * 1024, 1024**3),
        help="Bytes waiting for a slow reader before its socket is closed with 4408.",
    )
    silence: timedelta = setting(
        "CARILLON_PUSH_SILENCE_SECONDS",
        timedelta(seconds=90),
        parse=duration(1, 86_400),
        help="Seconds without any frame from a client before its socket is closed.",
    )
    backlog_bytes: int = setting(
        "CARILLON_PUSH_BACKLOG_BYTES",
        64 * 1024 * 1024,
        parse=whole_number(0, 1024**4),
        help="Memory for replaying recent events to clients that resume; over it, the oldest go.",
    )


SETTINGS = (
    PushSettings,
    BusSettings,
    ValkeySettings,
    TokenSettings,
    TicketSettings,
    DisplaySettings,
    OriginSettings,
)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Everything one push gateway process is told."""

    push: PushSettings
    bus: BusSettings
    valkey: ValkeySettings
    tokens: TokenSettings
    tickets: TicketSettings
    display: DisplaySettings
    origins: OriginSettings


def load_settings(environ: Mapping[str, str]) -> GatewaySettings:
    """Read all of it; raises InvalidSettings naming everything that is wrong."""
    check(SETTINGS, environ)
    return GatewaySettings(
        push=load(PushSettings, environ),
        bus=load(BusSettings, environ),
        valkey=load(ValkeySettings, environ),
        tokens=load(TokenSettings, environ),
        tickets=load(TicketSettings, environ),
        display=load(DisplaySettings, environ),
        origins=load(OriginSettings, environ),
    )
