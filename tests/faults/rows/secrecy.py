"""Row 34: what must not be in any log."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from tests.faults.business import add_business
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.rows.workers import await_progress
from tests.services import SECRETS

TOKEN = re.compile(rb"eyJ[\w-]{8,}\.[\w-]{8,}")


def read_logs(environment: FaultEnvironment) -> Findings:
    """34: after traffic and failures of every kind: no token, signature, ticket, secret or body."""
    sender = add_business(environment)
    with environment.make_traffic(per_second=100, title="机密标题") as traffic:
        await_progress(traffic)
        ticket, sign = _use_everything(environment, traffic.people[0])
        _fail_everywhere(environment, traffic.people)
        await_progress(traffic)
        environment.execute("DELETE FROM accepted WHERE title = '机密标题' AND receiver_id IS NULL")
    found = traffic.collect_findings()
    words = {
        "body": traffic.ledger.run.encode(),
        "title": "机密标题".encode(),
        "app secret": sender.secret.encode(),
        "ticket": ticket.encode(),
        "signature": sign.encode(),
        **{name: secret.encode() for name, secret in SECRETS.items()},
    }
    for log, content in _read_logs(environment):
        for name, word in words.items():
            found.must(word not in content, f"{log} is free of the {name}")
        found.must(not TOKEN.search(content), f"{log} is free of tokens")
    return found


def _use_everything(environment: FaultEnvironment, person: int) -> tuple[str, str]:
    """Credentials in every place they may be; a ticket and a signature that were used."""
    sender = add_business(environment)
    environment.query(
        "INSERT INTO mappings (app_id, app_user_id, user_id)"
        " VALUES (:app, 'somebody', :person) RETURNING user_id",
        app=sender.id,
        person=person,
    )
    with environment.client.user(person) as http:
        jump = f"/simple/sso/jump?app_id={sender.app_id}&redirect_to=https://faults.example.com/x"
        answer = http.get(jump, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        http.get(f"/users/search?q=x&token={environment.client.token(person)}")
    [ticket] = parse_qs(urlsplit(answer.headers["location"]).query)["ticket"]
    with sender.http() as http:
        http.post("/simple/sso/verify", json={"ticket": ticket})
        http.post("/messages/", json={"title": "机密标题", "content": 5, "type": "NOTIFICATION"})
        return ticket, str(http.headers["X-Sign"])


def _fail_everywhere(environment: FaultEnvironment, people: list[int]) -> None:
    """A row that cannot be persisted, a slow statement, a server that goes away."""
    with environment.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO accepted (id, sender_id, receiver_id, type, content_type, title, content)"
                " VALUES (next_message_id(), :sender, NULL, 'MESSAGE', 'TEXT', :title, :title)"
            ),
            {"sender": people[0], "title": "机密标题"},
        )
    with environment.engine.begin() as connection:
        # As slow as any insert may be on a bad day.
        connection.execute(text("SELECT pg_sleep(1.1), :title"), {"title": "机密标题"})
    environment.stack["valkey"].kill()
    environment.pause(0.3)
    environment.stack.servers["valkey"].start()


def _read_logs(environment: FaultEnvironment) -> Iterator[tuple[str, bytes]]:
    for log in sorted(Path(environment.stack.environ["CARILLON_DATA_DIR"], "logs").glob("*.log")):
        yield log.name, log.read_bytes()
