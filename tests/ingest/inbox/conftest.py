"""Servers with an inbox, over the people of the tests of ingest and the demo's."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ingest.inbox import bundle
from ingest.inbox.demo_people import LIN, MEI
from tests.builders import add_people
from tests.ingest.api_server import Api, run_api
from tests.ingest.inbox.bundle import write_bundle

DEMO = {"CARILLON_INBOX": "on", "CARILLON_INBOX_DEMO": "on", "CARILLON_HOST": "127.0.0.1"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the page's files, with a small page in it."""
    folder = tmp_path / "static"
    write_bundle(folder)
    monkeypatch.setattr(bundle, "FOLDER", folder)
    return folder


@pytest.fixture
def inbox(files: Path, own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with an inbox."""
    with run_api({**own_environ, "CARILLON_INBOX": "on"}, engine) as api:
        yield api


@pytest.fixture
def demo(files: Path, own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server whose inbox signs demo people in; of them Mei is there, Lin is disabled, Tao was never made."""
    with engine.begin() as connection:
        add_people(connection, [MEI.id])
        add_people(connection, [LIN.id], status="DISABLED")
    with run_api({**own_environ, **DEMO}, engine) as api:
        yield api
