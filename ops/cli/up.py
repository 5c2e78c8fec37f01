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

from ops.cli.terminal.printing import say
from ops.local.child import Child
from ops.local.polling import wait_until
from ops.local.ports import is_port_free
from ops.local.settings import UpSettings
from ops.local.stack import assume_environment, build_servers, prepare_environment, prepare_programs
from ops.local.stack_lock import hold_stack_lock, publish_environment
from ops.local.supervisor import StopRequested, Supervisor
from ops.settings_check import check_settings, find_unknown
from storage.broker.inspection import find_consumed_queues
from storage.broker.queues import TASK_OF_QUEUE, QueueSettings
from storage.model.errors import InConflict, InvalidSettings, TransientError
from storage.postgres.schema import upgrade
from storage.settings import DatabaseSettings, load

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
    try:
        check_settings(assume_environment(os.environ))
    except InvalidSettings as error:
        raise click.ClickException(error.detail) from error
    for sentence in find_unknown(os.environ):
        say(sentence, err=True)
    os.umask(0o077)
    environ = prepare_environment(os.environ, say=lambda line: say(line, err=True))
    with hold_stack_lock(Path(environ["CARILLON_DATA_DIR"])):
        try:
            _start_stack(supervisor, environ)
            _print_welcome(environ, seconds=time.monotonic() - began)
            supervisor.watch()
        except StopRequested:
            pass
        finally:
            say("Stopping ...", err=True)
            supervisor.stop()
    say("Stopped.", err=True)


def _start_stack(supervisor: Supervisor, environ: dict[str, str]) -> None:
    where = load(UpSettings, environ)
    _wait_for_port(where)
    embedded = build_servers(environ)
    for server in embedded:
        say(f"Starting {server.name} ...", err=True)
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


def _wait_for_port(where: UpSettings) -> None:
    """Wait for the web process of a stack that was killed a moment ago; raises InConflict."""
    if is_port_free(where.port, where.host):
        return
    say(f"Port {where.port} is taken; waiting a little ...", err=True)
    if not wait_until(lambda: is_port_free(where.port, where.host), seconds=7):
        raise InConflict(
            f"Another program listens on port {where.port} of {where.host}; "
            "choose another one with CARILLON_PORT."
        )


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


def _print_welcome(environ: Mapping[str, str], *, seconds: float) -> None:
    url = load(UpSettings, environ).local_url
    data = environ["CARILLON_DATA_DIR"]
    socket = url.replace("http", "ws", 1)
    say(
        f"""
Carillon is up, after {seconds:.1f} s. Ctrl-C stops it.

  REST        {url}/api/v1
  WebSocket   {socket}/api/v1/ws/messages?token=...
  API pages   {url}/docs
  console     {url}/console    (carillon console prints the token)
  health      {url}/readyz    {url}/metrics
  data, logs  {data}

Try next, in another terminal:

  carillon demo          three people, an app, and messages arriving on a socket
  carillon token 1       a token for user 1
  carillon --help        everything else
  (the command is .venv/bin/carillon after `make run`)
""",
        err=True,
    )
