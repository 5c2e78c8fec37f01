"""People, apps and mappings that the tests of ingest talk about, and a server over them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert

from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from storage.postgres.database import make_blocking_engine
from storage.postgres.people.apps import Vault, VaultSettings
from storage.postgres.tables import app_redirect_hosts, app_secrets, mappings
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import add_app, add_people
from tests.ingest.api_server import SECRET, Api, run_api

# The machine of a test run has other things to do; how soon 503 comes is test_intake's to say.
PATIENT = {"CARILLON_INTAKE_PATIENCE_SECONDS": "15", "CARILLON_LOOKUP_PATIENCE_SECONDS": "15"}
APPS = {"oa": 7, "crm": 8, "closed": 9}


def populate(connection: Connection, environ: Mapping[str, str]) -> None:
    """People 1 to 5 and an administrator (6); 8 is disabled, 9 deleted; apps and mappings.

    Apps: oa, crm; closed is not active. In oa lisi is 2, zhangsan 3, gone 8, ghost nobody; in crm
    li.si is 2.
    """
    add_people(connection, range(1, 6))
    add_people(connection, [6], role="ADMIN")
    add_people(connection, [8], status="DISABLED")
    add_people(connection, [9], is_deleted=True)
    vault = Vault(load(VaultSettings, environ))
    for app_id, number in APPS.items():
        add_app(connection, number, app_id=app_id, is_active=app_id != "closed")
        connection.execute(insert(app_secrets).values(app_id=number, sealed=vault.seal(SECRET)))
    connection.execute(insert(app_redirect_hosts).values(app_id=7, host="*.biz.example.com"))
    accounts = [
        (7, "lisi", 2),
        (7, "zhangsan", 3),
        (7, "gone", 8),
        (7, "ghost", 99),
        (8, "li.si", 2),
    ]
    connection.execute(
        insert(mappings),
        [
            {"app_id": app, "app_user_id": name, "user_id": user, "email": f"{name}@corp.com"}
            for app, name, user in accounts
        ],
    )


@pytest.fixture(scope="package")
def shared_api(
    postgres: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """A server that tests share: they may send and read, and change nothing else."""
    with services.database(postgres) as url:
        environ = environment(url, valkey_server, tmp_path_factory.mktemp("ingest")) | PATIENT
        engine = make_blocking_engine(load(DatabaseSettings, environ), application_name="tests")
        with engine.begin() as connection:
            populate(connection, environ)
        with run_api(environ, engine) as api:
            yield api
        engine.dispose()


def environment(url: str, valkey: EmbeddedValkey, folder: Path) -> dict[str, str]:
    """A deployment's variables; URLs of the local media store are relative."""
    given = services.environment(database_url=url, valkey_url=valkey.url, data=folder)
    return {**given, "CARILLON_PUBLIC_URL": ""}


@pytest.fixture
def own_environ(environ: Mapping[str, str], engine: Engine) -> Mapping[str, str]:
    """A populated database of this test's own."""
    with engine.begin() as connection:
        populate(connection, environ)
    return {**environ, "CARILLON_PUBLIC_URL": ""} | PATIENT


@pytest.fixture
def api(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server of this test's own."""
    with run_api(own_environ, engine) as api:
        yield api
