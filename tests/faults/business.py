"""A business app in an environment of the fault matrix, and its broadcasts."""

from dataclasses import dataclass
from typing import Any

import httpx

from ops.local.polling import wait_until
from storage.keys.vault import Vault, VaultSettings
from storage.model.app_event import AppEventType
from storage.postgres.app_events import callbacks
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.settings import load
from tests.faults.environment import FaultEnvironment, Findings


@dataclass(frozen=True, slots=True)
class Business:
    """An app with its secret."""

    environment: FaultEnvironment
    id: int
    app_id: str
    secret: str

    def http(self) -> httpx.Client:
        """A client of REST that signs as the app."""
        return self.environment.client.app(self.app_id, self.secret)

    def broadcast(self, title: str = "公告", **fields: Any) -> int:
        """Send a broadcast to everyone, or to `audience`, and return its id; fails unless it is accepted."""
        body = {"type": "NOTIFICATION", "is_broadcast": True, "title": title, "content": title}
        with self.http() as http:
            answer = http.post("/messages/", json=body | fields)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def get_report(self, broadcast_id: int) -> Any:
        """The report of a broadcast, as the app reads it: its status, and how many people have it."""
        with self.http() as http:
            return http.get(f"/broadcasts/{broadcast_id}").json()

    def await_done(self, broadcast_id: int, *, seconds: float) -> Any:
        """Wait until a broadcast is DONE or FAILED, for `seconds` at most, and return its last report."""
        question = "SELECT status IN ('DONE', 'FAILED') FROM broadcasts WHERE id = :id"
        wait_until(lambda: bool(self.environment.query(question, id=broadcast_id)), seconds=seconds)
        return self.get_report(broadcast_id)


def add_business(environment: FaultEnvironment) -> Business:
    """Register a new app in the record, with a secret of its own; it asks for every event."""
    vault = Vault(load(VaultSettings, environment.stack.environ))
    name = f"faults_{environment.add_people(1)[0]}"
    with environment.engine.begin() as connection:
        app, secret = apps.add(
            connection, NewApp(name, name, "https://faults.example.com/callback"), vault=vault
        )
        callbacks.set_callback(connection, app.id, url=None, events=tuple(AppEventType))
    return Business(environment, app.id, name, secret)


def judge_broadcast(
    found: Findings, environment: FaultEnvironment, broadcast_id: int, report: Any
) -> None:
    """Claim that a broadcast is DONE and in the histories of exactly those people that its planning counted.

    Its app is told once that it is done, and of each who read it once.
    """
    found.must(report["status"] == "DONE", f"DONE ({report})")
    deliveries = environment.query(
        "SELECT count(*) FROM deliveries WHERE message_id = :id", id=broadcast_id
    )
    planned = environment.query(
        "SELECT count(DISTINCT person) FROM broadcast_chunks, unnest(user_ids) AS person"
        " WHERE broadcast_id = :id",
        id=broadcast_id,
    )
    found.must(
        deliveries == planned == report["total"] == report["expanded"],
        f"exactly the audience ({deliveries} of {planned}, total {report['total']})",
    )
    done = environment.query(
        "SELECT count(*) FROM app_events WHERE type = 'broadcast.done'"
        " AND CAST(data ->> 'broadcast_id' AS bigint) = :id",
        id=broadcast_id,
    )
    found.must(done == 1, f"told once that it is done ({done})")
    amiss = environment.query(_READS_TOLD_AMISS, id=broadcast_id)
    found.must(not amiss, f"told once of each who read it ({amiss} amiss)")


# Told and not read, read and not told, or told twice: reads that wait, and those in events.
_READS_TOLD_AMISS = """
WITH told AS (
  SELECT user_id FROM app_reads WHERE message_id = :id
   UNION ALL
  SELECT CAST(r.one ->> 'user_id' AS bigint) FROM app_events e
   CROSS JOIN LATERAL jsonb_array_elements(e.data -> 'reads') AS r(one)
   WHERE e.type = 'message.read' AND CAST(r.one ->> 'message_id' AS bigint) = :id
), counted AS (
  SELECT user_id, count(*) AS times FROM told GROUP BY user_id
)
SELECT count(*) FROM counted
  FULL JOIN (SELECT user_id FROM deliveries WHERE message_id = :id AND read_at IS NOT NULL) d USING (user_id)
 WHERE counted.times IS DISTINCT FROM 1 OR d.user_id IS NULL
"""


def check_counters(found: Findings, environment: FaultEnvironment) -> None:
    """Claim that every unread counter equals a recount (C of the oracle), for rows without traffic."""
    wrong = environment.query(
        "SELECT count(*) FROM conversations c WHERE unread_count <> (SELECT count(*) FROM deliveries"
        " d WHERE (d.user_id, d.peer_id) = (c.user_id, c.peer_id) AND d.read_at IS NULL)"
    )
    found.must(not wrong, f"counters equal a recount ({wrong} drifted)")
