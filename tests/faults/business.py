"""A business app on a ground, and its broadcasts."""

from dataclasses import dataclass
from typing import Any

import httpx

from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import load
from tests.faults.environment import Findings, Ground


@dataclass(frozen=True, slots=True)
class Business:
    """An app with its secret."""

    ground: Ground
    id: int
    app_id: str
    secret: str

    def http(self) -> httpx.Client:
        """REST as the app."""
        return self.ground.client.app(self.app_id, self.secret)

    def broadcast(self, title: str = "公告", **fields: Any) -> int:
        """Send one to everyone (or `audience`); its id."""
        body = {"type": "NOTIFICATION", "is_broadcast": True, "title": title, "content": title}
        with self.http() as http:
            answer = http.post("/messages/", json=body | fields)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def report(self, broadcast_id: int) -> Any:
        """How far it is."""
        with self.http() as http:
            return http.get(f"/broadcasts/{broadcast_id}").json()

    def await_done(self, broadcast_id: int, *, seconds: float) -> Any:
        """Wait until it is over; the last report."""
        question = "SELECT status IN ('DONE', 'FAILED') FROM broadcasts WHERE id = :id"
        wait_until(lambda: bool(self.ground.ask(question, id=broadcast_id)), seconds=seconds)
        return self.report(broadcast_id)


def business(ground: Ground) -> Business:
    """A new app."""
    vault = Vault(load(VaultSettings, ground.stack.environ))
    name = f"faults_{ground.people(1)[0]}"
    with ground.engine.begin() as connection:
        app, secret = apps.add(
            connection, NewApp(name, name, "https://faults.example.com/callback"), vault=vault
        )
    return Business(ground, app.id, name, secret)


def judge_broadcast(found: Findings, ground: Ground, broadcast_id: int, report: Any) -> None:
    """DONE, and in the histories of exactly those that were counted when it was planned."""
    found.must(report["status"] == "DONE", f"DONE ({report})")
    deliveries = ground.ask(
        "SELECT count(*) FROM deliveries WHERE message_id = :id", id=broadcast_id
    )
    planned = ground.ask(
        "SELECT count(DISTINCT person) FROM broadcast_chunks, unnest(user_ids) AS person"
        " WHERE broadcast_id = :id",
        id=broadcast_id,
    )
    found.must(
        deliveries == planned == report["total"] == report["expanded"],
        f"exactly the audience ({deliveries} of {planned}, total {report['total']})",
    )


def drift(found: Findings, ground: Ground) -> None:
    """C of the oracle, for rows without traffic."""
    wrong = ground.ask(
        "SELECT count(*) FROM conversations c WHERE unread_count <> (SELECT count(*) FROM deliveries"
        " d WHERE (d.user_id, d.peer_id) = (c.user_id, c.peer_id) AND d.read_at IS NULL)"
    )
    found.must(not wrong, f"counters equal a recount ({wrong} drifted)")
