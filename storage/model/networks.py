"""Addresses and networks: where an app's calls may come from and go to, and what is this machine itself. Pure."""

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network

# IANA's special-purpose registry for IPv4 (RFC 6890), with what may not be called or is nobody's: multicast, class E and
# the old anycast relays of 6to4 (RFC 7526). Not ipaddress's `is_global`: what it says differs between Python's versions.
_CLOSED_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        # Azure answers its own machines here, with an address that looks public.
        "168.63.129.16/32",
    )
]
# Unicast of the Internet is 2000::/3 (RFC 4291); within it these are for protocols, documentation and Teredo, whose addresses
# name a relay (RFC 4380), and the addresses of 6to4 (RFC 3056), whose relays are gone; SRv6 segments are outside.
_UNICAST_6 = IPv6Network("2000::/3")
_CLOSED_6 = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# Forms of IPv4 in IPv6: mapped, NAT64 (RFC 6052).
_WRAPPED_4 = [IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")]


def parse_network(text: str) -> str:
    """The network in CIDR, as it is stored; an address alone is a network of one. Raises ValueError, with a sentence."""
    try:
        return str(ip_network(text.strip()))
    except ValueError as error:
        raise ValueError(f"“{text}” is not an address or network, such as 10.1.0.0/16.") from error


def is_in_networks(address: str, networks: tuple[str, ...]) -> bool:
    """Whether the address is in one of the networks, as `parse_network` gives them. What is no address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped  # how a socket for both families shows a caller over IPv4
    return any(found in network for network in _parse(networks))


def is_loopback(host: str) -> bool:
    """Whether only this machine itself reaches a server on this address or name; IPv6 may stand in brackets, as in URLs."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _parse(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(map(ip_network, networks))


def is_public(address: str) -> bool:
    """Whether the address is of the public Internet, and not of a network that only its own machines should reach.

    Asked before a server is called that somebody else chose: it could be our own database, a cloud's metadata, or whatever
    else trusts its neighbours (contract §9). IPv4 within IPv6 is judged as IPv4. What is no address is not public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return _is_public_4(found)
    if found.scope_id is not None:
        return False
    if any(found in network for network in _WRAPPED_4):
        return _is_public_4(IPv4Address(int(found) & 0xFFFFFFFF))
    return found in _UNICAST_6 and not any(found in closed for closed in _CLOSED_6)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in closed for closed in _CLOSED_4)
