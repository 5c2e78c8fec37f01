"""`carillon demo`: one message of each kind, sent over the API and seen on a socket; with --open, a lively inbox.

Safe to repeat, also on a database that is in use: its people and its app are its own, and the only
thing others see is the broadcast, which it asks about first.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import click

from carillon_client import AppClient, Message, PersonClient
from ingest.inbox.demo_people import LIN, MEI
from ops.api_errors import translate_errors
from ops.cli import read_environment
from ops.cli.demo.cast import APP, prepare
from ops.cli.demo.open_inbox import open_inbox
from ops.cli.demo.socket_watch import SocketWatch
from ops.cli.identity.callers import find_api_url, open_app, open_person
from ops.cli.servers import open_bus, open_database
from ops.cli.terminal.printing import say
from storage.model.errors import CallerError
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load

_MANY = 1_000


@click.command()
@click.option("--yes", is_flag=True, help=f"Broadcast also to more than {_MANY:,} people.")
@click.option("--no-broadcast", is_flag=True, help="Leave the broadcast out.")
@click.option("--url", help="Where the API is; the running stack if not given.")
@click.option(
    "--open",
    "is_inbox",
    is_flag=True,
    help="Fill a lively example, open the inbox in the browser, and answer there until Ctrl-C.",
)
def demo(*, yes: bool, no_broadcast: bool, url: str | None, is_inbox: bool) -> None:
    """Make three people and an app, and watch a message of each kind arrive on a socket.

    The broadcast goes to everyone who is active: with many people in the database it needs --yes. With --open: a company with
    conversations, notices and pictures, to be looked at in the inbox; its people answer, and its buttons sign on.
    """
    if is_inbox:
        most = None if no_broadcast else (sys.maxsize if yes else _MANY)
        # At whatever moment: what was sent has its key, and the next run goes on.
        with suppress(KeyboardInterrupt):
            open_inbox(find_api_url(url), most_people=most, wait=_wait_for_interrupt)
        say("Ended. `carillon demo --open` goes on with the same example.")
    else:
        _show_each_kind(url, may_reach_many=yes, has_broadcast=not no_broadcast)


def _show_each_kind(url: str | None, *, may_reach_many: bool, has_broadcast: bool) -> None:
    """Send a message of each kind, and say when it arrives. Raises CallerError if too many would be reached."""
    with open_database() as database, open_bus() as bus:
        cast = prepare(database, bus, vault=Vault(load(VaultSettings, read_environment())))
    if cast.reach > _MANY and has_broadcast and not may_reach_many:
        raise CallerError(
            f"The demo's broadcast would reach {cast.reach:,} people. "
            "Say --yes to send it, or --no-broadcast to leave it out."
        )
    where = find_api_url(url)
    say(f"People   {', '.join(f'{one.name} ({one.id})' for one in cast.people)}")
    say(f"App      {APP.name} ({APP.app_id}, {cast.apps[APP.app_id].app.id})")
    with (
        translate_errors(),
        open_person(where, MEI.id) as mei,
        open_person(where, LIN.id) as lin,
        open_app(where, APP.app_id, secret=cast.apps[APP.app_id].secret) as app,
        lin.socket() as socket,
    ):
        watch = SocketWatch(socket)
        say(f"Socket   open for {LIN.name}")
        _send_private_message(mei, watch)
        _send_notification(app, lin, watch)
        if has_broadcast:
            _send_broadcast(app, watch, reach=cast.reach)
    say("Everything arrived.")


def _wait_for_interrupt() -> None:
    """Return at Ctrl-C, and at a request to end, also where a shell began it in the background and ignores Ctrl-C for it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _send_private_message(mei: PersonClient, watch: SocketWatch) -> None:
    send = partial(mei.send, receiver_id=LIN.id, content="你好, lunch at noon?")
    _send(send, watch, what="private message")


def _send_notification(app: AppClient, lin: PersonClient, watch: SocketWatch) -> None:
    send = partial(
        app.send,
        app_user_id="lin",
        title="审批通知",
        content="您有一条待审批任务",
        auto_sso=True,
        target_url="https://demo.example.com/todo/123",
        action_text="立即处理",
    )
    id = _send(send, watch, what="notification with a button")
    say(f"         its button leads to {lin.get_callback_url(id)}")


def _send_broadcast(app: AppClient, watch: SocketWatch, *, reach: int) -> None:
    send = partial(app.broadcast, title="系统公告", content="这是一条全员通知 (carillon demo)")
    _send(send, watch, what=f"broadcast to {reach:,} people", ahead=reach)


def _send(send: Callable[[], Message], watch: SocketWatch, *, what: str, ahead: int = 0) -> int:
    """Send, say when it was accepted and when it arrived, and return its id."""
    say(f"Sending  a {what}")
    began = time.monotonic()
    id = send().id
    accepted = time.monotonic()
    say(f"         accepted as {id} after {(accepted - began) * 1000:.0f} ms")
    message = watch.wait_for(id, what=what, ahead=ahead)
    arrived = time.monotonic()
    shown = f"{message.sender_name}: {message.title}, {message.content}"
    say(f"         arrived {(arrived - accepted) * 1000:.0f} ms later: {shown}")
    return id
