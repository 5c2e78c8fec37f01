"""Embedded servers for tests of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's user can reach."""
    with services.folder() as path:
        yield path
