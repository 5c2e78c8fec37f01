"""What the one-machine stack consists of: its environment, its servers and its processes.

Called by `carillon up`, benches and tests. What is set in the environment is used. What is missing is generated, or an
embedded server takes its place; both are kept in the data folder.
"""

import json
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from ops.local.accounts import Say, find_server_account
from ops.local.child import Program
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.embedded.valkey import EmbeddedValkey
from ops.local.inbox_demo import VARIABLE as INBOX_DEMO
from ops.local.inbox_demo import choose_demo
from ops.local.private_folder import restrict_to_owner
from ops.local.settings import UpSettings
from ops.local.state_files import read_or_make, write_private
from storage.model.cross_origin import LOOPBACK_ORIGINS
from storage.model.errors import InvalidSettings
from storage.process import metrics_export
from storage.settings import DataFolder, load

# What is made if it is not set, and is the same at the next start.
SECRETS: dict[str, Callable[[], str]] = {
    "CARILLON_JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "CARILLON_SECRETS_KEY": lambda: Fernet.generate_key().decode(),
    "CARILLON_MEDIA_KEY": lambda: secrets.token_urlsafe(48),
    "CARILLON_CONSOLE_TOKEN": lambda: secrets.token_urlsafe(24),
}

# Celery says this at every start as root; it fears pickle, which we do not accept.
QUIET = "ignore:You're running the worker with superuser privileges"


def prepare_environment(environ: Mapping[str, str], *, say: Say = lambda _: None) -> dict[str, str]:
    """`environ` with an absolute data folder, address, allowed origins, the inbox and secrets filled in.

    The data folder is made, and closed to other users. Secrets are made the first time and the same ever after. `say` is
    told what a person should know about the folder. Variables that are set and not empty stay as they are. Raises
    InvalidSettings if the demo's people are to sign in where they may not (`inbox_demo.py`).
    """
    demo = choose_demo(environ)
    folder = load(DataFolder, environ).path.resolve()
    restrict_to_owner(folder, account=find_server_account(), say=say)
    where = load(UpSettings, environ)
    found = {name: text for name, text in environ.items() if text}
    made = {
        "CARILLON_HOST": where.host,
        "CARILLON_PORT": str(where.port),
        "CARILLON_ORIGINS": ",".join(LOOPBACK_ORIGINS),
        "CARILLON_INBOX": "on",
        INBOX_DEMO: demo,
    }
    return made | keep_secrets(folder) | found | {"CARILLON_DATA_DIR": str(folder)}


def assume_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with an address, secrets and servers made up where `up` would make some: for a check before a start.

    Nothing is written, and nothing listens at the addresses.
    """
    made = {name: make() for name, make in SECRETS.items()}
    addresses = {
        "CARILLON_HOST": UpSettings().host,
        "CARILLON_DATABASE_URL": "postgresql://127.0.0.1/carillon",
        "CARILLON_VALKEY_URL": "redis://127.0.0.1/0",
    }
    return made | addresses | {name: text for name, text in environ.items() if text}


def keep_secrets(folder: Path) -> dict[str, str]:
    """The generated secrets of the data folder, from its `secrets.json` (mode 0600); those that are missing are made and kept."""
    file = folder / "secrets.json"
    known = _read_secrets(file)
    # A folder of an earlier version may lack one.
    found = {name: make() for name, make in SECRETS.items()} | known
    if found != known:
        write_private(file, json.dumps(found, indent=2) + "\n")
    return found


def _read_secrets(file: Path) -> dict[str, str]:
    try:
        known = json.loads(read_or_make(file, lambda: "{}"))
        if isinstance(known, dict):
            return known
    except ValueError:
        pass
    raise InvalidSettings(
        f"{file} is damaged: it is no JSON object. Put it back from a backup; without it the secrets of apps cannot be read any more."
    )


def write_secrets(folder: Path, values: Mapping[str, str]) -> None:
    """Give a new data folder these secrets, instead of those that its first start would make."""
    write_private(folder / "secrets.json", json.dumps(dict(values), indent=2) + "\n")


def build_servers(
    environ: Mapping[str, str], *, is_durable: bool = True
) -> list[EmbeddedPostgres | EmbeddedValkey]:
    """The embedded servers in place of those whose URL is not set in `environ`; none of them is started.

    Their `variables` belong into the environment once they are launched. The broker needs no server: if it is not set, it
    is the Valkey of the bus. Servers that are not durable are for tests: faster, and their data may be lost in a power cut.
    """
    folder = Path(environ["CARILLON_DATA_DIR"])
    needed: list[EmbeddedPostgres | EmbeddedValkey] = []
    if "CARILLON_DATABASE_URL" not in environ:
        log = folder / "logs" / "postgres.log"
        needed.append(EmbeddedPostgres(folder / "postgres", log=log, is_durable=is_durable))
    if "CARILLON_VALKEY_URL" not in environ:
        needed.append(
            EmbeddedValkey(
                folder / "valkey",
                log=folder / "logs" / "valkey.log",
                is_durable=is_durable,
                max_memory=load(UpSettings, environ).valkey_max_memory,
            )
        )
    return needed


def prepare_programs(environ: Mapping[str, str]) -> list[Program]:
    """The processes besides the servers; `environ` is complete. None of them is started.

    Their folders in the data folder are made, and metrics of the workers before them are removed.
    """
    folder = Path(environ["CARILLON_DATA_DIR"])
    where = load(UpSettings, environ)
    (folder / "beat").mkdir(exist_ok=True)
    metrics = worker_metrics_folder(folder)
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    commands = {
        "web": _make_web_command(where),
        "worker-sends": _make_worker_command("sends", processes=1),
        "worker-broadcasts": _make_worker_command("broadcasts", processes=2),
        "worker-upkeep": _make_worker_command("upkeep", processes=2),
        "worker-callbacks": _make_worker_command(
            "callbacks", processes=1, app="workers.callbacks_app"
        ),
        "beat": _make_celery_command(
            "workers.beat_app", "beat", "--schedule", str(folder / "beat" / "schedule")
        ),
    }
    full = dict(environ) | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": QUIET}
    full.pop("CARILLON_DATABASE_OWNER_URL", None)  # no process needs to change a table
    shared = {metrics_export.FOLDER: str(metrics)}
    return [
        Program(
            name,
            command,
            full | shared if name.startswith("worker-") else full,
            folder / "logs" / f"{name}.log",
        )
        for name, command in commands.items()
    ]


def worker_metrics_folder(folder: Path) -> Path:
    """The folder in which the workers of a data folder keep their metrics; web shows them (`ops/local/single_port.py`)."""
    return folder / "metrics"


def _make_python_command(*arguments: str) -> list[str]:
    # -P: a file named celery.py in the current folder must not be taken for the library.
    return [sys.executable, "-P", "-m", *arguments]


def _make_web_command(where: UpSettings) -> list[str]:
    return _make_python_command(
        *("uvicorn", "--factory", "ops.local.single_port:create_app"),
        *("--host", where.host, "--port", str(where.port), "--backlog", "4096"),
        *("--http", "ops.http.protocol:HttpProtocol", "--timeout-keep-alive", "75"),
        *("--loop", "uvloop"),
        *("--ws", "push_gateway.websocket_protocol:FrameWebSocketProtocol"),
        # The gateway pings by itself, and only clients that are silent (contract §5).
        *("--ws-max-size", "65536", "--ws-per-message-deflate", "false", "--ws-ping-interval", "0"),
        *("--proxy-headers", "--forwarded-allow-ips", where.trusted_proxies),
        *("--no-access-log", "--log-level", "warning", "--no-server-header"),
        *("--timeout-graceful-shutdown", "5"),
    )


def _make_worker_command(
    queue: str, *, processes: int, app: str = "workers.celery_app"
) -> list[str]:
    return _make_celery_command(
        app,
        *("worker", "-Q", queue, "-c", str(processes), "-n", f"{queue}@%h"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def _make_celery_command(app: str, *arguments: str) -> list[str]:
    return _make_python_command("celery", "-A", app, "--quiet", *arguments, "--loglevel", "WARNING")
