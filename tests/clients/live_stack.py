"""A running stack for tests that are not Python's: `python -m tests.clients.live_stack`, from the root of the checkout.

It prints one line of JSON when everything is ready: `url`, `people` (id, name, token) and `app` (app_id, id, secret,
callback_url). Then it takes one line of JSON for each command (`do` and its arguments, see `_COMMANDS`) and answers each with
a line: `{"ok": …}` or `{"error": "…"}`. It ends, with everything that it started, when stdin ends.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import redis
from sqlalchemy import Engine, insert, text

from carillon_client import AppClient
from ops.local.child import Child
from ops.local.parent_death import die_with_parent
from ops.local.polling import wait_until
from storage.keys.tokens import TokenSettings, issue_token
from storage.keys.vault import Vault, VaultSettings
from storage.model.app_event import AppEventType
from storage.model.caller import ACTIVE, DISABLED
from storage.postgres.acts import people as people_acts
from storage.postgres.app_events import callbacks
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.people.name_grams import grams
from storage.postgres.tables import mappings
from storage.settings import DatabaseSettings, ValkeySettings, load
from storage.valkey.bus import Bus
from storage.valkey.bus_streams import BusSettings
from tests import services
from tests.builders import A_COMMAND, add_people
from tests.services import Stack

FIRST_ID = 31_001
NAMES = ("李四", "张三", "王五", "赵六")
APP_ID = "oa_system"
# A broadcast that is to reach many has so many people to reach, who have no tokens.
CROWD_FIRST_ID = 1_000_000

# The holder of the persist lane empties its claim when all of it is published.
_IS_SETTLED = text("""
SELECT NOT EXISTS (SELECT FROM accepted WHERE NOT is_scheduled) AND NOT EXISTS (SELECT FROM unpublished)
   AND NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM persist_claims WHERE ids <> '{}')
""")


class LiveStack:
    """The stack, its people and its app, and what a test may have done to them."""

    def __init__(self, stack: Stack, record: Engine) -> None:
        self._stack = stack
        self._record = record
        self._ids = count(FIRST_ID)
        self._vault = Vault(load(VaultSettings, stack.environ))
        self._secret = ""
        self._app_number = 0
        self.about: dict[str, Any] = {}

    def ask_for_events(self) -> None:
        """Let the app ask for every event of its own. Safe to repeat."""
        with self._record.begin() as connection:
            every = tuple(AppEventType)
            callbacks.set_callback(connection, self.about["app"]["id"], url=None, events=every)

    def describe(self, *, callback_url: str) -> dict[str, Any]:
        """Make the people and the app, and say what there is."""
        people = [self.new_person(name=name) for name in NAMES]
        with self._record.begin() as connection:
            new = NewApp(APP_ID, "OA系统", callback_url, ("*.example.com",))
            app, self._secret = apps.add(connection, new, vault=self._vault)
            self._app_number = app.id
            rows = [self._make_account(person["id"]) for person in people]
            connection.execute(insert(mappings), rows)
        about = {"app_id": APP_ID, "id": app.id, "secret": self._secret}
        self.about = {"url": self._stack.url, "people": people, "app": about}
        return self.about

    def new_app(self, *, app_id: str, callback_url: str) -> tuple[int, str]:
        """One more app, which has no accounts yet: its number and its secret."""
        with self._record.begin() as connection:
            new = NewApp(app_id, app_id, callback_url, ())
            app, secret = apps.add(connection, new, vault=self._vault)
        return app.id, secret

    def add_account(self, *, app: int, user_id: int, name: str = "") -> None:
        """An account of the person in that app, by its number; called as the others are without a `name`."""
        account = self._make_account(user_id, app=app)
        with self._record.begin() as connection:
            row = account | ({"app_user_id": name} if name else {})
            connection.execute(insert(mappings), [row])

    def _make_account(self, user_id: int, *, app: int | None = None) -> dict[str, Any]:
        name = f"user{user_id}"
        return {
            "app_id": app or self._app_number,
            "app_user_id": name,
            "user_id": user_id,
            "email": f"{name}@example.com",
        }

    def new_person(self, *, name: str = "新人") -> dict[str, Any]:
        """One more person: their id, name and token."""
        id = next(self._ids)
        names = {"mobile": f"1390{id:07}", "name": name, "english_name": f"person{id}"}
        with self._record.begin() as connection:
            # What the import writes too: without the grams nobody finds the person.
            add_people(connection, [id], **names, search_grams=grams(*names.values()))
            if self._app_number:
                connection.execute(insert(mappings), [self._make_account(id)])
        return {"id": id, "name": name, "token": self.token(id=id)}

    def new_crowd(self, *, size: int) -> int:
        """So many people more, whom a broadcast reaches; returns how many."""
        with self._record.begin() as connection:
            add_people(connection, range(CROWD_FIRST_ID, CROWD_FIRST_ID + size))
        return size

    def token(self, *, id: int, expires_in: float = 3600) -> str:
        """A token of this person, for so many seconds."""
        settings = load(TokenSettings, self._stack.environ)
        return issue_token(settings, id, ttl_seconds=expires_in, now=time.time())

    def send(self, **fields: Any) -> Any:
        """A send of the app, with the fields of `POST /messages/`; returns the answer."""
        given = {"title": "审批通知", "content": "您有一条待审批任务"} | fields
        with AppClient(self._stack.url, APP_ID, self._secret) as client:
            return client.send(**given, wait=10).raw

    def broadcast(self, *, id: int) -> Any:
        """How far a broadcast of the app has come, as `GET /broadcasts/{id}` tells."""
        with AppClient(self._stack.url, APP_ID, self._secret) as client:
            return client.get_broadcast(id).raw

    def kill_gateway(self) -> None:
        """Kill the process of REST and sockets, and start it again."""
        self._web.kill()
        self._web.launch()
        self._stack.wait_ready()

    def restart_gateway(self) -> None:
        """Restart it in good order: sockets are closed with 1012."""
        self._web.stop()
        self._web.launch()
        self._stack.wait_ready()

    def stop_gateway(self) -> None:
        """Kill it and leave it away, until `start_gateway`."""
        self._web.kill()

    def start_gateway(self) -> None:
        """Start it after `stop_gateway`."""
        self._web.launch()
        self._stack.wait_ready()

    def expire_bus(self) -> None:
        """Empty the bus, so that no `since` of before is good any more: clients are told RESYNC."""
        client: Any = redis.Redis.from_url(self._stack.environ["CARILLON_VALKEY_URL"])
        with client:
            client.flushall()

    def settle(self) -> None:
        """Wait until everything that was accepted and changed so far is on the bus."""
        if not wait_until(self._is_settled, seconds=20):
            raise AssertionError("something is still on its way to the bus after 20 s")

    def _is_settled(self) -> bool:
        with self._record.connect() as connection:
            return bool(connection.execute(_IS_SETTLED).scalar_one())

    def disable(self, *, id: int) -> None:
        """Disable a person: they are signed out everywhere."""
        self._set_status(id, DISABLED)

    def enable(self, *, id: int) -> None:
        """Let a person in again."""
        self._set_status(id, ACTIVE)

    @property
    def _web(self) -> Child:
        return self._stack.processes["web"]

    def _set_status(self, id: int, status: str) -> None:
        with self._record.begin() as connection:
            people_acts.set_status(connection, A_COMMAND, id=id, status=status)
        bus = Bus(load(BusSettings, self._stack.environ), load(ValkeySettings, self._stack.environ))
        if status == ACTIVE:
            bus.enable(id)
        else:
            bus.disable(id, at_ms=int(time.time() * 1000))
        bus.close()


_COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        LiveStack.new_person,
        LiveStack.new_crowd,
        LiveStack.token,
        LiveStack.send,
        LiveStack.broadcast,
        LiveStack.kill_gateway,
        LiveStack.restart_gateway,
        LiveStack.stop_gateway,
        LiveStack.start_gateway,
        LiveStack.settle,
        LiveStack.expire_bus,
        LiveStack.disable,
        LiveStack.enable,
    )
}


def answer(live: LiveStack, line: str) -> dict[str, Any]:
    """Do what a line asks for."""
    try:
        asked = json.loads(line)
        return {"ok": _COMMANDS[asked.pop("do")](live, **asked)}
    except Exception as error:  # noqa: BLE001 (the test is told, whatever it is)
        return {"error": f"{type(error).__name__}: {error}"}


def say(value: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the stack until stdin ends."""
    # A parent that is killed closes stdin as well; one that hangs in its own end does not.
    die_with_parent(signal.SIGTERM)
    callback_url = os.environ.get("LIVE_STACK_CALLBACK_URL", "http://127.0.0.1:1/callback")
    with services.stack(CARILLON_INBOX="on") as running:
        engine = make_blocking_engine(
            load(DatabaseSettings, running.environ), application_name="live stack"
        )
        live = LiveStack(running, engine)
        say(live.describe(callback_url=callback_url))
        for line in sys.stdin:
            say(answer(live, line))
        engine.dispose()


def _end(*_: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    main()
