"""`carillon up`: the whole stack on this machine, in the foreground."""

import http.client
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import click

from ops.cli.terminal.printing import make_plain, say
from ops.local.banner import write_banner
from ops.local.child import Child
from ops.local.folder_trouble import check_room, explain_folder_trouble
from ops.local.listening import PortTaken, check_address
from ops.local.polling import wait_until
from ops.local.ports import is_port_free
from ops.local.settings import UpSettings
from ops.local.stack import assume_environment, build_servers, prepare_environment, prepare_programs
from ops.local.stack_lock import hold_stack_lock, publish_environment
from ops.local.supervisor import StopRequested, Supervisor
from ops.settings_check import check_settings, find_unknown
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import TASK_OF_QUEUE, QueueSettings
from storage.model.caller import Person
from storage.model.errors import CarillonError, TransientError
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import directory
from storage.postgres.schema import upgrade
from storage.settings import DatabaseSettings, DataFolder, load

# Lines of a server's log that only a person can put right. (PostgreSQL calls it FATAL, too, that it ends a session.)
SERVER_TROUBLE = r"PANIC|FATAL(?!.*terminating connection)|Fatal|# Can't"


@click.command()
def up() -> None:
    """Start everything on this machine, in the foreground; Ctrl-C stops it.

    PostgreSQL and Valkey are embedded where CARILLON_DATABASE_URL and CARILLON_VALKEY_URL are not set;
    CARILLON_BROKER_URL is that Valkey if it is not set. Data, logs and generated secrets are kept in
    CARILLON_DATA_DIR (.carillon).
    """
    began = time.monotonic()
    supervisor = Supervisor(say=lambda line: say(line, err=True))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.request_stop())
    folder = load(DataFolder, os.environ).path.resolve()
    try:
        check_settings(assume_environment(os.environ))
        for sentence in find_unknown(os.environ):
            say(sentence, err=True)
        os.umask(0o077)
        with explain_folder_trouble(folder):
            environ = prepare_environment(os.environ, say=lambda line: say(line, err=True))
            check_room(folder)
            with hold_stack_lock(folder):
                _run_stack(supervisor, environ, began=began)
    except CarillonError as error:
        # Here, and not in the group of commands: its hint for those who have no stack is none for who starts one.
        raise click.ClickException(make_plain(error.detail)) from error
    say("Stopped.", err=True)


def _run_stack(supervisor: Supervisor, environ: dict[str, str], *, began: float) -> None:
    """Start everything, keep it running until a stop is requested, and stop it, whatever happens."""
    try:
        _start_stack(supervisor, environ)
        person = _find_person(environ)
        say(write_banner(environ, seconds=time.monotonic() - began, person=person), err=True)
        supervisor.watch()
    except StopRequested:
        pass
    finally:
        if supervisor.is_busy:
            say("Stopping ... (Ctrl-C again: at once, without waiting)", err=True)
        supervisor.stop()


def _start_stack(supervisor: Supervisor, environ: dict[str, str]) -> None:
    where = load(UpSettings, environ)
    _wait_for_port(where, environ["CARILLON_DATA_DIR"])
    embedded = build_servers(environ)
    for server in embedded:
        as_whom = (
            f" as the user {server.account_name}, for it does not run as root"
            if server.account_name
            else ""
        )
        say(f"Starting {server.name}{as_whom} ...", err=True)
        supervisor.add(server, stage=0, loud=SERVER_TROUBLE)
    for server in embedded:
        supervisor.wait_for(server.is_ready, seconds=60, what=server.name)
        server.set_up()
        environ |= server.variables
    say("Bringing the database up to date ...", err=True)
    upgrade(load(DatabaseSettings, environ))
    publish_environment(Path(environ["CARILLON_DATA_DIR"]), environ)
    say("Starting web, workers and beat ...", err=True)
    for program in prepare_programs(environ):
        supervisor.add(Child(program), stage=1)
    supervisor.wait_for(lambda: is_stack_ready(where.local_url), seconds=60, what=where.local_url)
    supervisor.wait_for(
        lambda: has_every_worker(environ), seconds=60, what="A worker of each queue"
    )


def _wait_for_port(where: UpSettings, folder: str) -> None:
    """Return when we can listen. The web process of a stack that was killed on our folder a moment ago is waited for.

    Raises PortTaken or InvalidSettings, which say why not and what to do.
    """
    try:
        check_address(where.host, where.port)
    except PortTaken as error:
        if error.listener is not None and error.listener.folder != folder:
            raise
        say(f"Port {where.port} is taken; waiting a little ...", err=True)
        if not wait_until(lambda: is_port_free(where.port, where.host), seconds=7):
            raise


def is_stack_ready(url: str) -> bool:
    """Whether the stack at `url` says within two seconds that it can take work."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 (our own URL)
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False


def has_every_worker(environ: Mapping[str, str]) -> bool:
    """Whether every queue has a worker that answers. Before that the stack is not up: nothing would be delivered."""
    try:
        return find_consumed_queues(load(QueueSettings, environ), seconds=0.3) >= set(TASK_OF_QUEUE)
    except TransientError:
        return False


def _find_person(environ: Mapping[str, str]) -> Person | None:
    """Somebody who is active, for the example in the banner; None if nobody is there yet."""
    database = BlockingDatabase(load(DatabaseSettings, environ), application_name="carillon up")
    try:
        return next(iter(database.transaction(directory.search, "", limit=1)), None)
    finally:
        database.close()
