"""The export of a person: everything of theirs, and nothing of anybody else's."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.errors import NotFound
from storage.postgres.messages import persistence
from storage.postgres.personal_data import export
from tests.builders import a_notification, a_send, accept, add_app, add_people

LI, WANG = 1, 2


@pytest.fixture(autouse=True)
def people_and_app(engine: Engine) -> None:
    """Li, Wang and Zhang, and app 7, in which Li has an account."""
    with engine.begin() as connection:
        add_people(connection, [1, 2, 3])
        add_app(connection)
        connection.execute(text("INSERT INTO mappings VALUES (7, 'li.na', 1, 'li@example.com')"))


def export_person(engine: Engine, user_id: int = LI) -> list[dict[str, Any]]:
    """The records of an export, as their JSON reads back."""

    def run(question: Any, *args: Any, **asked: Any) -> Any:
        with engine.begin() as connection:
            return question(connection, *args, **asked)

    records: Iterator[dict[str, Any]] = export.export_person(run, user_id)
    return [json.loads(json.dumps(one)) for one in records]


def test_an_export_has_all_that_is_kept_about_a_person(engine: Engine) -> None:
    """Profile, accounts, conversations with both sides' messages and when they were read, what waits, and uploads."""
    later = datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        ids = accept(
            connection,
            a_send(content="from Li"),
            a_send(sender_id=WANG, receiver_id=LI, content="from Wang"),
            a_notification(LI, content="from the app", ref="leave-1", state="PENDING"),
            a_send(sender_id=WANG, receiver_id=3, content="not Li's"),
        )
        persistence.persist(connection, ids)
        accept(connection, a_send(content="later", send_at=later))
        connection.execute(
            text(
                "INSERT INTO media_objects (key, owner, content_type, filename, size)"
                " VALUES ('user-1/a', 'user:1', 'image/png', 'a.png', 1), ('user-2/a', 'user:2', '', '', 1)"
            )
        )
    records = export_person(engine)
    assert [one["kind"] for one in records] == [
        "profile",
        "account",
        "conversation",
        "message",
        "conversation",
        "message",
        "message",
        "waiting",
        "upload",
    ]
    profile, account, _, notice, talk, sent, received, waiting, upload = records
    assert (profile["name"], profile["mobile"]) == ("人1", "13800000001")
    assert (account["app_id"], account["app_user_id"], account["email"]) == (
        "app_7",
        "li.na",
        "li@example.com",
    )
    assert (notice["direction"], notice["content"]) == ("received", "from the app")
    assert (notice["ref"], notice["state"], notice["state_text"]) == ("leave-1", "PENDING", None)
    assert (talk["peer_id"], talk["peer_name"], talk["unread_count"]) == (WANG, "人2", 1)
    assert (sent["direction"], sent["content"]) == ("sent", "from Li")
    assert (received["content"], received["read_at"]) == ("from Wang", None)
    assert waiting["content"] == "later"
    assert upload["key"] == "user-1/a"


def test_an_export_is_read_in_pages(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the pages are, every message is there once and in order."""
    monkeypatch.setattr(export, "_PAGE", 2)
    with engine.begin() as connection:
        sent = accept(connection, *[a_send() for _ in range(5)], *[a_notification(LI)] * 4)
        persistence.persist(connection, sent)
    records = export_person(engine)
    ids = [one["id"] for one in records if one["kind"] == "message"]
    assert sorted(ids) == sent
    assert len(records) == 1 + 1 + 2 + 9


def test_nobody_is_not_exported(engine: Engine) -> None:
    """A person who does not exist has no export."""
    with pytest.raises(NotFound, match="no user 404"):
        export_person(engine, 404)
