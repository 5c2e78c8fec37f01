"""The settings of `carillon up` itself. All other settings it passes on to the processes."""

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from storage.setting_parsers import whole_number
from storage.settings import setting


def _parse_networks(text: str) -> str:
    """Addresses and networks, with commas or spaces between, in the form that uvicorn takes. Raises ValueError."""
    return ",".join(str(ip_network(one, strict=False)) for one in re.split(r"[\s,]+", text) if one)


def _parse_host(text: str) -> str:
    """An address or a host name; the brackets of an IPv6 address in a URL are taken off. Raises ValueError."""
    host = text.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    is_name = re.fullmatch(r"[^\s/:@\[\]]+", host) is not None
    if not is_name and not _is_ipv6(host):
        raise ValueError("must be an address or a host name, without http:// and without a port")
    return host


def _is_ipv6(host: str) -> bool:
    try:
        return ip_address(host).version == 6  # noqa: PLR2004 (the protocol's own number)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class UpSettings:
    """Where the one-machine stack listens and is reached, and how much memory its Valkey may use."""

    host: str = setting(
        "CARILLON_HOST",
        "127.0.0.1",
        parse=_parse_host,
        help="Address that REST and WebSocket listen on; 0.0.0.0 is every IPv4 address of the machine, :: every IPv6 address.",
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
        return make_url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)

    @property
    def is_for_everybody(self) -> bool:
        """Whether other machines can reach the stack, as far as the address says."""
        return self.host in {"0.0.0.0", "::"}


def make_url(host: str, port: int) -> str:
    """The http URL of a host, whose IPv6 address is put into brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
