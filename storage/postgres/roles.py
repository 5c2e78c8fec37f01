"""PostgreSQL's two roles: one that owns the schema and migrates it, and one that the processes sign in as.

The application's role reads and writes rows and nothing else: it cannot change a table, read files of the server, or
make roles (docs/decisions/0026-roles-in-postgresql.md). Upkeep makes and drops partitions by functions that run as
their owner (`add_message_months`, `drop_message_month`). Called by `schema.py`.
"""

from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, make_url, text

from storage.model.errors import InvalidSettings


@dataclass(frozen=True, slots=True, repr=False)
class Role:
    """A role that signs in with a password. Its `repr` shows neither name nor password."""

    name: str
    password: str


def parse_role(url: str) -> Role:
    """The role that `url` names. Raises InvalidSettings if it has no name or no password."""
    parts = make_url(url)
    if not parts.username or not parts.password:
        raise InvalidSettings("The database's URL names no role with a password.")
    return Role(parts.username, str(parts.password))


_ROLES = ("the superuser", "the owner", "the application's")


def set_up(connection: Connection, *, owner: Role, application: Role) -> None:
    """Make both roles, and let `owner` own the database and everything of ours in it.

    To be called as a superuser, in one transaction; safe to repeat, and for several processes at once. What the
    superuser or the application's role owned before is handed over to `owner`. Privileges on tables are not granted
    here but by `grant`, in every upgrade. Raises InvalidSettings unless the superuser and the two are three roles.
    """
    admin = str(connection.execute(text("SELECT current_user")).scalar_one())
    if len({admin, owner.name, application.name}) < len(_ROLES):
        raise InvalidSettings(f"{', '.join(_ROLES)} must be three roles.")
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('carillon roles'))"))
    # The schema must not change hands while it is being changed.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('carillon upgrade'))"))
    for role in (owner, application):
        _make(connection, role)
    # `carillon doctor` looks at all sessions.
    _run_with_names(connection, "GRANT pg_read_all_stats TO {}", application.name)
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    _run_with_names(connection, "ALTER DATABASE {} OWNER TO {}", database, owner.name)
    schema = _schema(connection)
    _run_with_names(connection, "ALTER SCHEMA {} OWNER TO {}", schema, owner.name)
    _run_with_names(connection, "REVOKE CREATE ON SCHEMA {} FROM PUBLIC", schema)
    former = {"schema": schema, "former": [admin, application.name]}
    for kind, name in connection.execute(_OF_FORMER_OWNERS, former).all():
        escaped = name.replace("{", "{{").replace("}", "}}")
        _run_with_names(connection, f"ALTER {kind} {escaped} OWNER TO {{}}", owner.name)


def _make(connection: Connection, role: Role) -> None:
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": role.name}
    ).first()
    if known is None:
        _run_with_names(connection, "CREATE ROLE {}", role.name)
    # The verifier is sent and not the password, because a statement may end up in the server's log.
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    verifier = driver.pgconn.encrypt_password(
        role.password.encode(), role.name.encode(), b"scram-sha-256"
    )
    statement = sql.SQL(
        "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
    ).format(sql.Identifier(role.name), sql.Literal(verifier.decode()))
    _execute(connection, statement)


# Everything in the schema, except what follows its table (indexes, sequences of identity columns) or belongs to an
# extension.
_OF_FORMER_OWNERS = text("""
SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
       c.oid::regclass::text
  FROM pg_class c
 WHERE c.relnamespace = CAST(CAST(:schema AS text) AS regnamespace) AND c.relkind IN ('r', 'p', 'S', 'v', 'm')
   AND pg_get_userbyid(c.relowner) = ANY(CAST(:former AS text[]))
   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype IN ('a', 'i', 'e') AND d.refclassid IN ('pg_class'::regclass, 'pg_extension'::regclass)
                      AND (c.relkind = 'S' OR d.deptype = 'e'))
UNION ALL
SELECT 'ROUTINE', p.oid::regprocedure::text
  FROM pg_proc p
 WHERE p.pronamespace = CAST(CAST(:schema AS text) AS regnamespace)
   AND pg_get_userbyid(p.proowner) = ANY(CAST(:former AS text[]))
   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND d.deptype = 'e')
""")

_GRANTS = (
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT SELECT, USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}",
    # Partitions that are made between two upgrades.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    # Only the owner records which migrations were run.
    "REVOKE INSERT, UPDATE, DELETE ON {schema}.alembic_version FROM {role}",
    # What operators did is only added to; when it was, and in which place, PostgreSQL says.
    "REVOKE INSERT, UPDATE, DELETE ON {schema}.audit FROM {role}",
    "GRANT INSERT (who, role, act, target, before, after, request_id, address) ON {schema}.audit TO {role}",
)


def grant(connection: Connection, role: str) -> None:
    """Grant `role` what processes need on everything in the schema. To be called as its owner; safe to repeat."""
    names = {"schema": sql.Identifier(_schema(connection)), "role": sql.Identifier(role)}
    for statement in _GRANTS:
        _execute(connection, sql.SQL(statement).format(**names))


def _schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def _run_with_names(connection: Connection, statement: str, *names: str) -> None:
    identifiers = map(sql.Identifier, names)
    _execute(connection, sql.SQL(statement).format(*identifiers))  # type: ignore[arg-type,unused-ignore]


def _execute(connection: Connection, statement: sql.Composed) -> None:
    # SQLAlchemy always passes parameters to the driver, even none of them, so a % must be doubled.
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
