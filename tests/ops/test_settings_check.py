"""Settings are checked before a start."""

import pytest

from ops.settings_check import find_unknown

pytestmark = pytest.mark.quick


def test_a_mistyped_setting_is_named() -> None:
    """A CARILLON_ variable that is no setting is named, with the setting that was probably meant."""
    [sentence] = find_unknown({"CARILLON_INTAKE_BATHC": "5", "CARILLON_PORT": "1", "HOME": "/"})
    assert sentence.startswith("CARILLON_INTAKE_BATHC is not a setting")
    assert "CARILLON_INTAKE_BATCH?" in sentence
