"""The schedule at the console."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from tests.builders import a_broadcast, a_send, accept
from tests.ingest.api_server import Api
from tests.ingest.console.pages import get, post


def test_what_is_scheduled_is_listed_and_taken_back(console: Api, engine: Engine) -> None:
    """Scheduled sends and broadcasts are listed, the next one first, with an app's title and no person's, and can be stopped."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with engine.begin() as connection:
        private, announced = accept(
            connection,
            a_send(send_at=ahead + timedelta(hours=1), title="private title"),
            a_broadcast(send_at=ahead, title="公告"),
        )
    answer = get(console, "scheduled")
    assert [(one["id"], one["title"]) for one in answer.json()] == [
        (str(announced), "公告"),
        (str(private), None),
    ]
    assert "private" not in answer.text
    assert [one["id"] for one in get(console, f"scheduled?after_id={announced}").json()] == [str(private)]  # fmt: skip
    assert post(console, f"broadcasts/{announced}/cancel").status_code == 200
    assert post(console, f"messages/{private}/recall").status_code == 200
    assert post(console, f"messages/{announced}/recall").status_code == 404
    assert get(console, "scheduled").json() == []
