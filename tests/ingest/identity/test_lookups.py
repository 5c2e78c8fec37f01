"""What requests name; the cache itself is tested in `test_lookup_cache.py`."""

import pytest

from ingest.identity.lookups import KnownApp
from storage.model.caller import App

pytestmark = pytest.mark.pure


def test_a_known_app_does_not_show_its_secrets() -> None:
    """The secrets of an app stand in no `repr`, so in no log and no traceback."""
    app = App(1, "oa", "OA", "https://oa.example.com", (), True, "", "", None, None)
    assert "secret" not in repr([KnownApp(app, (b"secret",))])
