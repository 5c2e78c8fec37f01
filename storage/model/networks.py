"""Addresses and networks: where an app's calls may come from (lists of CIDR), and what is this machine itself. Pure."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


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
