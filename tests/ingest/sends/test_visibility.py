"""Who may know of a message by its id, at each stage of its way (contract §2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.postgres.messages import persistence
from storage.postgres.sends import failed_sends
from tests.ingest.api_server import Api


def see(api: Api, headers: dict[str, str], id: int) -> Any:
    """The status that `GET /messages/{id}` shows, or the answer's if it shows none."""
    answer = api.ask("GET", f"/messages/{id}", headers=headers)
    return answer.json()["status"] if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize("kind", ["private", "notification"])
def test_a_receiver_sees_a_message_while_it_is_in_their_history(api: Api, kind: str) -> None:
    """A receiver sees a message while it is in their history, and gets 404 before it, and once it is recalled (contract §2)."""
    sender, body = (
        (api.person(1), {}) if kind == "private" else (api.app("oa"), {"type": "NOTIFICATION"})
    )
    receiver, stranger = api.person(2), api.person(3)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = api.send_for_id(sender, receiver_id=2, send_at=later, **body)
    waiting = api.send_for_id(sender, receiver_id=2, **body)
    assert [see(api, sender, id) for id in (scheduled, waiting)] == ["SCHEDULED", "ACCEPTED"]
    for id in (scheduled, waiting):
        for other in (receiver, stranger):
            assert see(api, other, id) == 404
            assert api.ask("DELETE", f"/messages/{id}", headers=other).status_code == 404
    with api.engine.begin() as connection:
        persistence.persist(connection, [waiting])
    assert [see(api, who, waiting) for who in (sender, receiver, stranger)] == [
        "DELIVERED",
        "DELIVERED",
        404,
    ]
    assert api.ask("DELETE", f"/messages/{waiting}", headers=receiver).status_code == 403
    assert api.ask("DELETE", f"/messages/{waiting}", headers=sender).status_code == 204
    assert [see(api, who, waiting) for who in (sender, receiver)] == ["RECALLED", 404]
    assert api.ask("DELETE", f"/messages/{waiting}", headers=receiver).status_code == 404
    failed = api.send_for_id(sender, receiver_id=2, **body)
    with api.engine.begin() as connection:
        failed_sends.move_to_failed(connection, [failed])
    assert [see(api, who, failed) for who in (sender, receiver)] == ["FAILED", 404]
