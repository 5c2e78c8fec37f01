"""From a read and a broadcast to the endpoint of the app that sent them, on the whole running stack."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.model.app_event import AppEventType
from storage.postgres.app_events import callbacks
from storage.postgres.app_events.callback_secrets import rotate_callback_secret
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import load
from tests.journey.client import PATIENCE, Client
from tests.services import Stack
from tests.workers.callbacks.business_app import BusinessApp, run_app

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def endpoint(record: Engine, stack: Stack) -> Iterator[tuple[str, str, BusinessApp]]:
    """The id and the secret of an app that asked for all events, and its endpoint."""
    vault = Vault(load(VaultSettings, stack.environ))
    with run_app() as endpoint, record.begin() as connection:
        new = NewApp("told", "审批系统", "https://told.example.com/callback", ())
        app, secret = apps.add(connection, new, vault=vault)
        every = tuple(AppEventType)
        callbacks.set_callback(connection, app.id, url=endpoint.url, events=every)
        endpoint.secrets.append(rotate_callback_secret(connection, app.id, vault=vault))
        connection.commit()
        yield "told", secret, endpoint


def test_an_app_hears_who_read_its_notice_and_when_its_broadcast_is_done(
    client: Client, people: tuple[int, int, int], endpoint: tuple[str, str, BusinessApp]
) -> None:
    """Within moments the app's endpoint is told, signed: who read the notice, and that the broadcast is done."""
    app_id, secret, app = endpoint
    reader = people[0]
    notice = {"type": "NOTIFICATION", "title": "审批", "content": "请处理"}
    with client.app(app_id, secret) as sender, client.user(reader) as person:
        sent = sender.post("/messages/", json=notice | {"receiver_id": reader}, headers={"Prefer": "wait=10"}).json()  # fmt: skip
        person.put("/messages/read-all")
        assert wait_until(lambda: "message.read" in types(app), seconds=PATIENCE)
        audience = {"user_ids": list(people)}
        sender.post("/messages/", json=notice | {"is_broadcast": True, "audience": audience})
        assert wait_until(lambda: "broadcast.done" in types(app), seconds=PATIENCE)
    reads = [body["data"]["reads"] for _, body in app.told if body["type"] == "message.read"]
    assert (sent["id"], reader) in [(one["message_id"], one["user_id"]) for one in reads[0]]
    [done] = [body["data"] for _, body in app.told if body["type"] == "broadcast.done"]
    assert done["total"] == 3
    assert len({id for id, _ in app.told}) == len(app.told)


def types(app: BusinessApp) -> list[str]:
    """The types of events that the app was told of."""
    return [body["type"] for _, body in app.told]
