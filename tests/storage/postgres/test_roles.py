"""The owner's and the application's role, on a server of this module alone whose database is older than both."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, text

from ops.local.embedded.postgres import APPLICATION, OWNER, EmbeddedPostgres
from storage.model.errors import InvalidSettings, PermanentError
from storage.model.operator import Actor, Role
from storage.postgres import audit
from storage.postgres.database import BlockingDatabase
from storage.postgres.messages import partitions, persistence, retention
from storage.postgres.schema import set_up_roles, upgrade
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import a_send, accept, add_people


@pytest.fixture(scope="module")
def server(postgres: EmbeddedPostgres) -> EmbeddedPostgres:
    """The server of this run; roles are all of a server's."""
    return postgres


@pytest.fixture
def settings(server: EmbeddedPostgres, database_url: str) -> DatabaseSettings:
    """Of a database whose tables the superuser made, as all were before there were roles; roles are made now."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    given = {key: services.in_database(url, name) for key, url in server.variables.items()}
    found = load(DatabaseSettings, given)
    set_up_roles(found, admin_url=database_url)
    upgrade(found)
    return found


@pytest.fixture
def application(settings: DatabaseSettings) -> Iterator[BlockingDatabase]:
    """The record as processes have it."""
    database = BlockingDatabase(settings, application_name="it")
    yield database
    database.close()


def test_everything_is_handed_over_to_the_owner(
    settings: DatabaseSettings, database_url: str
) -> None:
    """The owner gets all tables, partitions, sequences and functions that the superuser made; repeating it changes nothing."""
    set_up_roles(settings, admin_url=database_url)
    with psycopg.connect(database_url) as connection:
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
            " UNION SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc"
            " WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
        rights = connection.execute(
            "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles"
            " WHERE rolname = ANY(%s) ORDER BY 1",
            ([APPLICATION, OWNER],),
        ).fetchall()
    assert owners == [(OWNER,)]
    assert rights == [(APPLICATION, False), (OWNER, False)]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE messages",
        "ALTER TABLE users ADD COLUMN x int",
        "CREATE TABLE x ()",
        "TRUNCATE users",
        "CREATE ROLE x",
        "COPY users TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE audit SET who = 'x'",
        "DELETE FROM audit",
        "INSERT INTO audit (at, who, role, act, target) VALUES (now(), '', '', '', '')",
        "SELECT drop_message_month('_y2026m01, users')",
        "SELECT drop_message_month('_y2026m01; DROP TABLE users')",
    ],
)
def test_a_process_may_not(application: BlockingDatabase, statement: str) -> None:
    """The application's role can neither change the schema nor read files of the server."""
    with pytest.raises(PermanentError):
        application.transaction(lambda connection: connection.execute(text(statement)))


def test_a_process_may_do_all_that_it_needs(application: BlockingDatabase) -> None:
    """The application's role can accept, persist, make the partitions of months ahead, drop an old month and write the audit."""

    def story(connection: Connection) -> int:
        add_people(connection, (1, 2))
        [id] = accept(connection, a_send())
        persistence.persist(connection, [id])
        return id

    assert application.transaction(story)
    before = application.transaction(partitions.add_months, 4)
    assert application.transaction(partitions.add_months, 7) - before == 3
    suffix = f"{datetime.now(UTC) + timedelta(days=200):_y%Ym%m}"
    month = partitions.Month(suffix, low=2**53 - 2, high=2**53 - 1)
    application.transaction(retention.drop_month, month)
    actor = Actor("cli:root", Role.ADMIN)
    application.transaction(audit.record, actor, act="app.add", target="app oa")
    assert application.transaction(audit.drop_old, kept=timedelta(0), slice=10) == 0
    assert len(application.transaction(audit.list_rows, limit=10)) == 1
    gone = "SELECT to_regclass('messages' || :suffix) IS NULL"
    assert application.transaction(lambda c: c.execute(text(gone), {"suffix": suffix}).scalar_one())


def test_only_owner_and_application_may_drop_a_month(
    settings: DatabaseSettings, database_url: str
) -> None:
    """Another role on the same server cannot call any of the functions that run as the owner."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE ROLE stranger_of_the_tests")
        connection.execute("SET LOCAL ROLE stranger_of_the_tests")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT drop_message_month('_y2026m01')")
        connection.rollback()


def test_three_roles_are_three(settings: DatabaseSettings) -> None:
    """Setting up roles is refused when the superuser is the application's role, which would lose its rights."""
    with pytest.raises(InvalidSettings, match="three roles"):
        set_up_roles(settings, admin_url=settings.owner_url)
