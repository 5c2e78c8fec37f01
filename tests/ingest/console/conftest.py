"""A console that an operator is signed in to."""

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine

from tests.ingest.api_server import Api, run_api
from tests.ingest.console.pages import CHANGES, TOKEN


@pytest.fixture
def console(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with a console, and a client that is signed in."""
    with run_api({**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}, engine) as api:
        answer = api.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
        assert answer.status_code == 200
        yield api
