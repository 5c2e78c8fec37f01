"""Networks that calls may come from."""

import pytest

from storage.model.networks import is_in_networks, is_loopback, parse_network

pytestmark = [pytest.mark.quick, pytest.mark.pure]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.0.0/16", "10.1.0.0/16"),
        (" 10.1.2.3 ", "10.1.2.3/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_is_stored_in_one_form(text: str, network: str) -> None:
    """Spaces and capitals do not matter, and an address alone is a network of one."""
    assert parse_network(text) == network


@pytest.mark.parametrize("text", ["", "example.com", "10.1.2.3/16", "10.1.2.3/33", "*"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """Names, host bits that are set and lengths that do not exist are no networks."""
    with pytest.raises(ValueError, match="is not an address or network"):
        parse_network(text)


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("10.1.255.255", True),
        ("10.2.0.0", False),
        ("::ffff:10.1.0.1", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_an_address_is_inside_or_not(address: str, *, is_inside: bool) -> None:
    """An IPv4 address counts as itself also where a socket shows it as IPv6; what is no address is nowhere."""
    assert is_in_networks(address, ("10.1.0.0/16", "2001:db8::/32")) is is_inside


def test_without_networks_nobody_is_inside() -> None:
    """Whether an empty list means anywhere is the caller's business."""
    assert not is_in_networks("10.1.0.1", ())


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("::", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, *, is_own: bool) -> None:
    """An address that others can reach, every address at once, and another name are not this machine alone."""
    assert is_loopback(host) is is_own
