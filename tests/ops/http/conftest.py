"""Servers under our HTTP protocol class, each in a process of its own."""

from collections.abc import Iterator

import pytest

from tests.ops.http.app import Server, run_server
from tests.ops.http.requests import MIB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the limits of production."""
    with run_server(tmp_path_factory.mktemp("http")) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose every time limit is short."""
    limits = {
        "FIRST_BYTE_SECONDS": 0.4,
        "HEAD_SECONDS": 0.4,
        "UNTAKEN_SECONDS": 0.6,
        "DROPPED_SECONDS": 0.4,
        "DROPPED_BYTES": 8 * MIB,
    }
    with run_server(
        tmp_path_factory.mktemp("hasty"), "--timeout-keep-alive", "75", **limits
    ) as server:
        yield server
