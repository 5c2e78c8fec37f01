"""The settings of `carillon up` itself. All other settings it passes on to the processes."""

import re
from dataclasses import dataclass
from ipaddress import ip_network

from storage.setting_parsers import whole_number
from storage.settings import setting


def _parse_networks(text: str) -> str:
    """Addresses and networks, with commas or spaces between, in the form that uvicorn takes. Raises ValueError."""
    return ",".join(str(ip_network(one, strict=False)) for one in re.split(r"[\s,]+", text) if one)


@dataclass(frozen=True, slots=True)
class UpSettings:
    """Where the one-machine stack listens and is reached, and how much memory its Valkey may use."""

    host: str = setting(
        "CARILLON_HOST",
        "127.0.0.1",
        help="Address that REST and WebSocket listen on; 0.0.0.0 is every one of the machine.",
    )
    port: int = setting(
        "CARILLON_PORT",
        8000,
        parse=whole_number(1, 65535),
        help="Port that REST and WebSocket share.",
    )
    public_url: str = setting(
        "CARILLON_PUBLIC_URL",
        "",
        help="Where clients reach the API, as https://host. Not set: the address above.",
    )
    trusted_proxies: str = setting(
        "CARILLON_TRUSTED_PROXIES",
        "127.0.0.1",
        parse=_parse_networks,
        help="Proxies in front, as addresses or networks with commas between: by what they say "
        "(X-Forwarded-For, X-Forwarded-Proto) it is known who calls, and whether by https.",
    )
    valkey_max_memory: str | None = setting(
        "CARILLON_VALKEY_MAX_MEMORY",
        None,
        help="`maxmemory` of the embedded Valkey, such as 512mb. Not set: no limit.",
    )

    @property
    def local_url(self) -> str:
        """The URL at which this machine reaches the stack."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"
