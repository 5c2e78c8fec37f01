"""What a backup says of itself."""

import json
from datetime import UTC, datetime

import pytest

from ops.backup.manifest import FORMAT, Manifest, Part, decode_manifest
from storage.model.errors import PermanentError

pytestmark = pytest.mark.quick

ONE = Manifest(datetime(2026, 11, 28, 12, tzinfo=UTC), "0.1.0", "0020", 3, {"a": Part(1, "ab")})


def test_it_reads_back_as_it_was() -> None:
    """What is decoded is what was encoded."""
    assert decode_manifest(ONE.encode()) == ONE


def test_a_newer_format_is_refused_and_names_its_release() -> None:
    """A backup of a later format is refused, also when nothing else of it can be read."""
    text = json.dumps({"format": FORMAT + 1, "release": "9.9", "other": 1}).encode()
    with pytest.raises(PermanentError, match=r"newer release, 9\.9"):
        decode_manifest(text)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff", b'{"format": "x"}'])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    """Any other text is refused with a sentence."""
    with pytest.raises(PermanentError, match="manifest"):
        decode_manifest(text)
