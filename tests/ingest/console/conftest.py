"""A console that an operator is signed in to: its API alone, or in a browser on a running stack."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage.keys.vault import Vault, VaultSettings
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.people.people_import import NewPerson, import_people
from storage.settings import DatabaseSettings, load
from tests import services
from tests.browser import Page, chromium
from tests.ingest.api_server import Api, run_api
from tests.ingest.console.pages import CHANGES, TOKEN
from tests.ingest.console.steps import PEOPLE, SIGNED_IN, SIGNED_OUT, sign_in
from tests.services import Stack


@pytest.fixture
def console(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server with a console, and a client that is signed in."""
    with run_api({**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}, engine) as api:
        answer = api.client.post("/console/api/login", content=TOKEN, headers=CHANGES)
        assert answer.status_code == 200
        yield api


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack with many people and an app; small chunks, so that a broadcast takes a while."""
    with services.stack(CARILLON_CHUNK_SIZE="100") as stack:
        yield stack


@pytest.fixture(scope="module")
def record(own_stack: Stack) -> Iterator[Engine]:
    """Its database."""
    settings = load(DatabaseSettings, own_stack.environ)
    engine = make_blocking_engine(settings, application_name="tests")
    with engine.begin() as connection:
        import_people(connection, (a_person(n) for n in PEOPLE))
        vault = Vault(load(VaultSettings, own_stack.environ))
        apps.add(connection, NewApp("oa", "OA系统", "https://oa.example.com/cb", ()), vault=vault)
    yield engine
    engine.dispose()


def a_person(number: int) -> NewPerson:
    """One of many."""
    return NewPerson(number, "", f"人{number}", f"person{number}", "ACTIVE", "ORDINARY_USER")


@pytest.fixture
def page(own_stack: Stack, record: Engine, tmp_path: Path) -> Iterator[Page]:
    """The console, signed in; earlier attempts to sign in do not count."""
    with record.begin() as connection:
        connection.execute(text("DELETE FROM console_sign_ins"))
    with chromium(tmp_path) as page:
        page.go(f"{own_stack.url}/console")
        page.does(SIGNED_OUT)
        sign_in(page, own_stack.environ["CARILLON_CONSOLE_TOKEN"])
        page.does(SIGNED_IN)
        yield page
