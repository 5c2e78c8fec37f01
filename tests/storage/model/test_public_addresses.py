"""Which addresses an app's endpoint may have."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.networks import is_public

pytestmark = [pytest.mark.quick, pytest.mark.pure]

NAT64, MAPPED = 0x0064FF9B << 96, 0xFFFF << 32


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "93.184.216.34", "100.63.255.255", "172.32.0.1", "223.255.255.255"),
        *("2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::101:101"),
        "::ffff:1.1.1.1",
    ],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """Unicast addresses that networks of the Internet have are public, in the forms of IPv4 that IPv6 has too."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1"),
        *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1", "168.63.129.16"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "100::1"),
        *("64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:101:101::1"),
        *("2001::1", "2001:db8::1", "2001:20::1", "3fff::1", "5f00::1"),
        *("fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"),
        *("ff02::1", "ff0e::1", "4000::1", "", "localhost", "example.com", "1.1.1.1/32", "0177.0.0.1"),
    ],
)  # fmt: skip
def test_what_only_neighbours_should_reach_is_not_public(address: str) -> None:
    """Private, loopback, link-local, shared, reserved, multicast and documentation's addresses are not, whatever their form."""
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_ipv4_within_ipv6_is_judged_as_ipv4(address: IPv4Address) -> None:
    """An IPv4 address is public or not, whether it stands alone, mapped or behind NAT64."""
    number = int(address)
    forms = (MAPPED | number, NAT64 | number)
    assert {is_public(str(IPv6Address(form))) for form in forms} == {is_public(str(address))}


def _close_to(*addresses: str) -> st.SearchStrategy[str]:
    """Addresses of these blocks' beginnings and just beside them: hardly one at random is in a small block."""
    return st.builds(
        lambda text, by: str(ip_address(int(ip_address(text)) + by)),
        st.sampled_from(addresses),
        st.integers(-2, 70_000),
    )


@given(
    st.ip_addresses().map(str)
    | _close_to("10.0.0.0", "100.64.0.0", "127.0.0.0", "169.254.0.0", "172.16.0.0", "192.0.0.0")
    | _close_to("192.168.0.0", "198.18.0.0", "203.0.113.0", "2001:db8::", "fc00::", "fe80::")
)
def test_nothing_is_public_that_python_knows_to_be_special(address: str) -> None:
    """What the standard library calls private, loopback, link-local, multicast, reserved or unspecified is not public."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped  # which older versions of Python call private, whatever it is
    is_special = (
        found.is_private
        or found.is_loopback
        or found.is_link_local
        or found.is_multicast
        or found.is_unspecified
        or (isinstance(found, IPv4Address) and found.is_reserved)
    )
    assert not (is_special and is_public(address))
