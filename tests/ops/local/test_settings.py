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
