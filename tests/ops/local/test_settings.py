"""The settings of `carillon up`."""

import pytest

from ops.local.settings import UpSettings
from storage.model.errors import InvalidSettings
from storage.settings import load

pytestmark = pytest.mark.quick


def test_a_bad_port_is_refused() -> None:
    """A port that is out of range is refused, and the refusal names its variable."""
    with pytest.raises(InvalidSettings, match="CARILLON_PORT"):
        load(UpSettings, {"CARILLON_PORT": "70000"})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("[fd00::2]", "http://[fd00::2]:8000"),
        ("localhost", "http://localhost:8000"),
        ("192.0.2.2", "http://192.0.2.2:8000"),
    ],
)
def test_the_local_url_is_one_that_works(host: str, url: str) -> None:
    """Every form of address makes a URL that can be called: IPv6 in brackets, and no address that means all."""
    assert load(UpSettings, {"CARILLON_HOST": host}).local_url == url


@pytest.mark.parametrize(
    "host", ["http://localhost", "localhost:8000", "a/b", "a b", "[::1", "1::2::3"]
)
def test_a_host_that_is_a_url_is_refused(host: str) -> None:
    """What is neither an address nor a host name is refused, and the refusal says what belongs there."""
    with pytest.raises(InvalidSettings, match=r"CARILLON_HOST.*without http"):
        load(UpSettings, {"CARILLON_HOST": host})
