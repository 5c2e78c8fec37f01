"""`DELETE /messages/{id}`: who may take a message back, and what is left of it (contract §2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from storage.postgres.sends import failed_sends
from tests.ingest.api_server import Api


def recall(api: Api, headers: dict[str, str], id: int) -> int:
    """The status of a recall."""
    return api.ask("DELETE", f"/messages/{id}", headers=headers).status_code


def unread(api: Api, user_id: int) -> Any:
    """A person's unread total."""
    return api.ask("GET", "/messages/unread-count", headers=api.person(user_id)).json()["total"]


def test_its_sender_takes_a_message_out_of_both_histories(api: Api) -> None:
    """A recalled message is gone for both people and not counted; its sender sees RECALLED, and may repeat it."""
    sender, receiver = api.person(1), api.person(2)
    kept, gone = api.send_for_id(sender, receiver_id=2), api.send_for_id(sender, receiver_id=2)
    api.deliver()
    assert recall(api, receiver, gone) == 403
    assert recall(api, api.person(4), gone) == 404
    assert recall(api, api.app("oa"), gone) == 404
    assert unread(api, 2) == 2
    for _ in range(2):
        assert recall(api, sender, gone) == 204
        assert unread(api, 2) == 1
    for headers, peer in ((sender, 2), (receiver, 1)):
        page = api.ask("GET", f"/messages/history/{peer}", headers=headers).json()
        assert [message["id"] for message in page] == [kept]
    shown = api.ask("GET", f"/messages/{gone}", headers=sender).json()
    assert shown["status"] == "RECALLED"


def test_what_is_not_delivered_yet_never_is(api: Api) -> None:
    """A waiting message and a scheduled one can be taken back before anyone has them."""
    sender = api.person(1)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    ids = [
        api.send_for_id(sender, receiver_id=2),
        api.send_for_id(sender, receiver_id=2, send_at=later),
    ]
    for id in ids:
        assert recall(api, sender, id) == 204
    api.deliver()
    assert api.ask("GET", "/messages/conversations", headers=api.person(2)).json() == []


def test_a_person_may_for_a_day_and_an_app_for_ever(api: Api) -> None:
    """After CARILLON_RECALL_HOURS a recall is 403 for a person and 204 for the app that sent the message."""
    private = api.send_for_id(api.person(1), receiver_id=2)
    notice = api.send_for_id(api.app("oa"), receiver_id=2, type="NOTIFICATION")
    api.deliver()
    with api.engine.begin() as connection:
        connection.execute(text("UPDATE messages SET created_at = created_at - interval '25 h'"))
    assert recall(api, api.person(1), private) == 403
    assert recall(api, api.person(2), notice) == 403
    assert recall(api, api.app("crm"), notice) == 404
    assert recall(api, api.app("oa"), notice) == 204
    assert unread(api, 2) == 1
    assert recall(api, api.person(1), 1) == 404


def test_a_dead_letter_of_a_month_that_is_gone_can_be_taken_back_and_sent_again(api: Api) -> None:
    """A dead letter outlives its month: its recall is 204, and its replay is a message of today."""
    ids = [api.send_for_id(api.person(1), receiver_id=2, content=text_) for text_ in ("one", "two")]
    with api.engine.begin() as connection:
        failed_sends.move_to_failed(connection, ids)
        old_ids = [id - (1 << 12) * 1000 * 86_400 * 200 for id in ids]
        for id, old in zip(ids, old_ids, strict=True):
            connection.execute(
                text(
                    "UPDATE failed_sends SET id = :old,"
                    " payload = payload || jsonb_build_object('id', CAST(:old AS bigint),"
                    " 'created_at', clock_timestamp() - interval '200 days') WHERE id = :id"
                ),
                {"id": id, "old": old},
            )
    gone, again = old_ids
    with api.engine.begin() as connection:
        replayed = failed_sends.replay(connection, [again])
        assert list(replayed) == [again] and replayed[again] > max(ids)
        assert failed_sends.find_failed(connection, gone) is not None
    assert recall(api, api.app("oa"), gone) == 404
    with api.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE failed_sends SET payload = payload"
                " || jsonb_build_object('created_at', clock_timestamp())"
            )
        )
    assert recall(api, api.person(1), gone) == 204
    assert api.ask("GET", f"/messages/{gone}", headers=api.person(1)).status_code == 404
    api.deliver()
    page = api.ask("GET", "/messages/history/1", headers=api.person(2)).json()
    assert [(message["id"], message["content"]) for message in page] == [(replayed[again], "two")]
