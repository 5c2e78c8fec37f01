"""Whether a URL that an operator gives for an app's events could ever be called (contract §9). Pure.

The callbacks worker judges the address again, when it connects (`workers/callbacks/network_guard.py`).
"""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from storage.model.errors import CallerError
from storage.model.networks import is_in_networks, is_public

_LONGEST_URL = 2048
# Printable ASCII without what parsers read differently.
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")


def check_url(url: str, *, allowed: tuple[str, ...]) -> None:
    """Raise CallerError unless the URL is https to a public address, or https or http into an `allowed` network.

    A host that is a name is not resolved: its addresses are judged when it is called.
    """
    fault = _find_fault(url) or _find_fault_of_place(url, allowed)
    if fault:
        raise CallerError(f"“{url[:100]}” {fault}")


def _find_fault(url: str) -> str:
    if len(url) > _LONGEST_URL or not _PLAIN.fullmatch(url):
        return "is not a URL in plain ASCII, such as https://oa.example.com/events."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL, such as https://oa.example.com/events."
    if parts.scheme not in ("https", "http") or not host or port == 0:
        return "is not an absolute https URL."
    if "@" in parts.netloc or parts.fragment:
        return "must not have a user, a password or a fragment."
    return ""


def _find_fault_of_place(url: str, allowed: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    address = _parse_address(parts.hostname or "")
    is_listed = address is not None and is_in_networks(address, allowed)
    if address is not None and not is_listed and not is_public(address):
        return "leads to an address that is not public, and that CARILLON_CALLBACK_ALLOWED does not list."
    may_be_listed = is_listed or (address is None and bool(allowed))
    if parts.scheme == "http" and not may_be_listed:
        return "must be https; http is for networks in CARILLON_CALLBACK_ALLOWED alone."
    return ""


def _parse_address(host: str) -> str | None:
    """The address that the host is; None for a name."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)
