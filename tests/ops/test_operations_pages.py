"""The steps of `docs/operations/` on backing up, moving, upgrading and replacing keys are true: they are run here."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from sqlalchemy import text

from ops.local import accounts
from ops.local.embedded.postgres import EmbeddedPostgres, find_postgres_binary
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests import services
from tests.builders import a_send, accept
from tests.ops.pages import FOLDER, Operator, list_steps
from tests.other_users import need_interpreter
from tests.services import SECRETS, environment

pytestmark = pytest.mark.timeout(600)

# Every step that is run here; a step of a page that is not among them would never be run.
OF_ONE_MACHINE = [
    ("backup.md", "Make a backup", 0),
    ("backup.md", "Restore it", 0),
    ("backup.md", "Restore it", 1),
    ("move.md", "To another machine", 0),
    ("move.md", "To another machine", 1),
    ("upgrade.md", "The stack of `carillon up`", 0),
    ("upgrade.md", "The stack of `carillon up`", 1),
    ("rotate-keys.md", "The key of the apps' secrets", 0),
    ("rotate-keys.md", "The key of the apps' secrets", 1),
    ("rotate-keys.md", "The key of people's tokens", 0),
    ("rotate-keys.md", "An app's secret", 0),
    ("rotate-keys.md", "The console's token, and the key of media URLs", 0),
    ("rotate-keys.md", "Passwords of the embedded servers", 0),
]
OF_OWN_SERVERS = [
    ("move.md", "To servers of your own", 0),
    ("move.md", "To servers of your own", 1),
    ("upgrade.md", "Processes of your own", 0),
    ("rotate-keys.md", "The key of the apps' secrets", 2),
    ("rotate-keys.md", "Passwords of your own PostgreSQL", 0),
    ("rotate-keys.md", "Valkey's password", 0),
]
OF_BASE_BACKUPS = [
    ("backup.md", "Archive the log", 0),
    ("backup.md", "Make a base backup", 0),
    ("backup.md", "Go back to a moment", 0),
    ("backup.md", "Go back to a moment", 1),
]
PAGES = ("backup.md", "move.md", "upgrade.md", "rotate-keys.md")


def test_every_step_of_these_pages_is_run() -> None:
    """No step of these pages is left out, and none is run that they do not have."""
    found = []
    for page in PAGES:
        headings = [heading for heading, _ in list_steps(page)]
        places = {heading: iter(range(9)) for heading in headings}
        found += [(page, heading, next(places[heading])) for heading in headings]
    assert sorted(found) == sorted(OF_ONE_MACHINE + OF_OWN_SERVERS + OF_BASE_BACKUPS)
    assert {path.name for path in FOLDER.glob("*.md") if "```sh run" in path.read_text()} == set(
        PAGES
    )


@contextmanager
def run_up(operator: Operator, folder: Path) -> Iterator[None]:
    """A real `carillon up` on a data folder, up with all its workers in this block, stopped by SIGTERM after it."""
    operator.type(f"export CARILLON_DATA_DIR={folder}")
    own = {"CARILLON_DATA_DIR": str(folder), "CARILLON_PORT": str(find_free_port())}
    said = operator.folder / "said.log"
    with said.open("wb") as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ops.cli import main; main()", "up"],
            stderr=terminal,
            env={"PATH": os.environ["PATH"], **own},
        )
    try:
        assert wait_until(lambda: "Carillon is up" in said.read_text(), seconds=150), (
            said.read_text()
        )
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()


def test_the_steps_for_one_machine_are_true(tmp_path: Path) -> None:
    """A stack is backed up, has all its keys and passwords replaced, is restored elsewhere, and is well each time."""
    with services.folder() as place:
        (place / "passphrase.txt").write_text("correct horse battery\n")
        operator = Operator(place, {})
        first, second, third = (place / name for name in ("first", "second", "third"))
        with run_up(operator, first):
            operator.type("carillon app add oa --name OA --callback-url https://oa.cn/cb")
            operator.run("backup.md", "Make a backup")
            operator.run("upgrade.md", "The stack of `carillon up`")
            before = json.loads((first / "environment.json").read_text())
        passwords = (first / "postgres" / "password").read_text()
        for heading in (
            "The key of the apps' secrets",
            "The key of people's tokens",
            "The console's token, and the key of media URLs",
            "Passwords of the embedded servers",
        ):
            operator.run("rotate-keys.md", heading)
        with run_up(operator, first):
            operator.run("upgrade.md", "The stack of `carillon up`", 1)
            operator.run("rotate-keys.md", "The key of the apps' secrets", 1)
            operator.run("rotate-keys.md", "An app's secret")
            now = json.loads((first / "environment.json").read_text())
        changed = {name for name in before if now[name] != before[name]}
        assert set(SECRETS) | {"CARILLON_CONSOLE_TOKEN"} <= changed
        assert {"CARILLON_DATABASE_URL", "CARILLON_VALKEY_URL"} <= changed
        assert (first / "postgres" / "password").read_text() != passwords
        operator.run("move.md", "To another machine")
        operator.type(f"export CARILLON_DATA_DIR={second}")
        operator.run("move.md", "To another machine", 1)
        with run_up(operator, second):
            assert "oa" in operator.type("carillon app list")
        operator.type(f"export CARILLON_DATA_DIR={third}")
        operator.run("backup.md", "Restore it")
        with run_up(operator, third):
            operator.run("backup.md", "Restore it", 1)
        assert operator.done == set(OF_ONE_MACHINE)


# What the package of that name brings along, with the client that we have.
VALKEY_CLI = """#!{python}
import sys, redis
print(redis.Redis.from_url(sys.argv[2]).execute_command(*sys.argv[3:]))
"""
BINARIES = find_postgres_binary("psql").parent


@contextmanager
def run_own_servers(folder: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL without a database of ours, a Valkey, and the variables that lead an operator to both."""
    (folder / "valkey").mkdir()
    (folder / "valkey" / "password").write_text("old-valkey-password")
    record = EmbeddedPostgres(folder / "postgres", is_durable=False)
    bus = EmbeddedValkey(folder / "valkey", is_durable=False)
    try:
        record.start()
        bus.start()
        parts = urlsplit(record.url)
        with psycopg.connect(
            services.in_database(record.url, "postgres"), autocommit=True
        ) as control:
            control.execute("DROP DATABASE carillon")
        yield {
            "PGHOST": str(parts.hostname),
            "PGPORT": str(parts.port),
            "PGUSER": str(parts.username),
            "PGPASSWORD": str(parts.password),
            "ADMIN_URL": record.url,
            "CARILLON_VALKEY_URL": bus.url,
        }
    finally:
        record.kill()
        bus.kill()


def test_the_steps_for_servers_of_ones_own_are_true() -> None:
    """A stopped stack moves into servers of one's own, and every key and password there is replaced without a loss."""
    with services.folder() as place, run_own_servers(place) as own:
        (place / "passphrase.txt").write_text("correct horse battery\n")
        (place / "valkey-cli").write_text(VALKEY_CLI.format(python=sys.executable))
        (place / "valkey-cli").chmod(0o755)
        house = Operator(place, {})
        with run_up(house, place / "data"):
            house.type("carillon app add oa --name OA --callback-url https://oa.cn/cb")
            house.type("carillon backup house.carillon --passphrase-file passphrase.txt")
        (place / "exported.sh").unlink()
        own["CARILLON_DATA_DIR"] = str(place / "own")
        operator = Operator(place, own, {"valkey-cli": "./valkey-cli"}, binaries=BINARIES)
        operator.run("move.md", "To servers of your own")
        operator.run("move.md", "To servers of your own", 1)
        operator.type("set -a; . ./secrets.env; set +a")
        assert "oa" in operator.type("carillon app list")
        operator.run("upgrade.md", "Processes of your own")
        operator.run("rotate-keys.md", "The key of the apps' secrets", 2)
        check_passwords(operator, own["CARILLON_VALKEY_URL"])
        found = json.loads(operator.type("carillon doctor --json || true"))
        levels = {one["name"]: one["level"] for one in found}
        assert levels["secrets"] == levels["valkey"] == levels["schema"] == "OK"
        assert operator.done == set(OF_OWN_SERVERS)


def check_passwords(operator: Operator, old_valkey_url: str) -> None:
    """Replace the passwords of both servers by the page; the old ones are no good then, and the new ones are."""
    operator.type(
        "export CARILLON_DATABASE_URL=${CARILLON_DATABASE_URL/app-password/old-app-password}\n"
        "export CARILLON_DATABASE_OWNER_URL="
        "${CARILLON_DATABASE_OWNER_URL/owner-password/old-owner-password}\n"
        'carillon db roles --admin-url "$ADMIN_URL"'
    )
    old_url = operator.type('printf %s "$CARILLON_DATABASE_URL"')
    with psycopg.connect(old_url):
        operator.run("rotate-keys.md", "Passwords of your own PostgreSQL")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(old_url)
    assert "oa" in operator.type("carillon app list")
    operator.run("rotate-keys.md", "Valkey's password")
    with redis.Redis.from_url(old_valkey_url) as client, pytest.raises(redis.RedisError):
        client.ping()


DUE = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


@contextmanager
def run_own_cluster(folder: Path, valkey_url: str) -> Iterator[Operator]:
    """A PostgreSQL that an operator runs with pg_ctl, as an account that may, with our schema in it."""
    account = accounts.find_server_account()
    if account is not None:
        need_interpreter(account.user_id)
    port = find_free_port()
    address = f"127.0.0.1:{port}/carillon"
    environ = {
        "PGDATA": str(folder / "data"),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": "postgres",
        **environment(
            database_url=f"postgresql://carillon_app:app@{address}",
            valkey_url=valkey_url,
            data=folder / "own",
        ),
        "CARILLON_DATABASE_OWNER_URL": f"postgresql://carillon_owner:owner@{address}",
    }
    (folder / "backups").mkdir()
    if account is not None:
        for path in (folder, folder / "backups"):
            accounts.give_ownership(path, account)
    replaced = {"/var/backups/carillon": str(folder / "backups")}
    operator = Operator(folder, environ, replaced, account=account, binaries=BINARIES)
    try:
        operator.type(
            "initdb --username=postgres --auth=trust --locale=C --encoding=UTF8 >initdb.log\n"
            f"echo \"port = {port}\nunix_socket_directories = ''\" >>$PGDATA/postgresql.conf\n"
            "pg_ctl start --wait --log=/var/backups/carillon/server.log\n"
            "createdb carillon\n"
            f"carillon db roles --admin-url postgresql://postgres:none@{address}\n"
            "carillon db upgrade"
        )
        yield operator
    finally:
        operator.type("pg_ctl stop --mode=immediate || true")


def test_the_steps_of_base_backups_are_true(valkey_url: str) -> None:
    """A PostgreSQL of one's own goes back to a moment; nothing that was given out after it is given out again."""
    with services.folder() as place, run_own_cluster(place, valkey_url) as operator:
        settings = load(DatabaseSettings, operator.environ)
        engine = make_blocking_engine(settings, application_name="tests")

        def send(*due: datetime | None) -> list[int]:
            with engine.begin() as connection:
                return accept(connection, *[a_send(send_at=one) for one in due])

        operator.run("backup.md", "Archive the log")
        kept = send(None)
        operator.run("backup.md", "Make a base backup")
        kept += send(None)
        with engine.begin() as connection:
            moment = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        lost = send(None, DUE, DUE)
        engine.dispose()
        operator.type(f"export MOMENT='{moment.isoformat(' ')}'")
        operator.run("backup.md", "Go back to a moment")
        with engine.begin() as connection:
            found = connection.execute(text("SELECT id FROM accepted ORDER BY id")).scalars()
            assert list(found) == kept
        operator.run("backup.md", "Go back to a moment", 1)
        with engine.begin() as connection:
            acts = connection.execute(text("SELECT act FROM audit")).scalars().all()
            assert acts == ["record.restore"]
        again = send(None, DUE, DUE)
        engine.dispose()
        assert not set(again) & set(lost)
        assert again[0] > lost[0]
        assert operator.done == set(OF_BASE_BACKUPS)
