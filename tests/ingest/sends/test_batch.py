"""`POST /messages/batch` (contract §2): entries are answered in order, and a bad one fails alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from tests.builders import add_people
from tests.ingest.api_server import Api
from tests.ingest.sends.record import count_accepted

GOOD: dict[str, Any] = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}


def batch(api: Api, *entries: Any, **headers: str) -> Any:
    """The answer to a batch of app oa."""
    given = {**api.app("oa"), **headers}
    body = json.dumps({"messages": entries}).encode()
    return api.ask("POST", "/messages/batch", headers=given, content=body)


def test_each_entry_is_validated_alone_and_answered_in_its_place(shared_api: Api) -> None:
    """An entry of a batch gets the status that it would have had as a single send."""
    entries: list[tuple[dict[str, Any], int]] = [
        (GOOD, 200),
        (GOOD | {"receiver_id": 404}, 404),
        (GOOD | {"title": ""}, 422),
        ({}, 422),
        (GOOD | {"app_id": "crm"}, 403),
        (GOOD | {"content": "x" * 65537}, 413),
        (GOOD | {"receiver_id": None, "app_id": "oa", "app_user_id": "zhangsan"}, 200),
        (GOOD | {"receiver_id": None, "is_broadcast": True}, 200),
    ]
    answer = batch(shared_api, *(entry for entry, _ in entries))
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [status for _, status in entries]
    sent, refused = {"status", "message"}, {"index", "status", "detail", "code"}
    assert all(set(r) == (sent if r["status"] == 200 else refused) for r in results)
    assert {r["index"]: r["code"] for r in results if r["status"] != 200} == {
        1: "UNKNOWN_RECEIVER",
        2: "VALIDATION",
        3: "VALIDATION",
        4: "OTHER_APP",
        5: "CONTENT_TOO_LARGE",
    }
    assert results[6]["message"]["receiver_id"] == 3
    assert results[2]["detail"][0]["loc"] == ["body", "title"]


def test_ids_rise_in_the_order_of_the_entries(shared_api: Api) -> None:
    """Ids of a batch rise from entry to entry, so a history has them in that order."""
    answer = batch(shared_api, *[GOOD] * 500)
    ids = [result["message"]["id"] for result in answer.json()["results"]]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("number", [0, 501])
def test_a_batch_has_1_to_500_entries(shared_api: Api, number: int) -> None:
    """An empty batch and one of 501 entries are 422 as a whole."""
    assert batch(shared_api, *[GOOD] * number).status_code == 422


def deep(levels: int) -> Any:
    """An object of so many levels."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


BAD: dict[str, Any] = {
    "null": None,
    "a string": "x",
    "a list": [],
    "a number": 1.5,
    "content of 255 levels": GOOD | {"content": deep(255)},
    "content of 900 levels": GOOD | {"content": deep(900)},
    "NUL": GOOD | {"content": "a\0b"},
    "NUL in an object": GOOD | {"content": {"\0": 1}},
    "a lone surrogate": GOOD | {"title": "\ud800"},
    "a number past 64 bits": GOOD | {"content": {"n": 2**64}},
    "a receiver past 64 bits": GOOD | {"receiver_id": -(2**70)},
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("key", [False, True])
def test_a_bad_entry_fails_alone_whatever_it_is(shared_api: Api, name: str, key: bool) -> None:
    """A bad entry is 422 in its place, with or without a key; the others are sent (contract §2)."""
    headers = {"Idempotency-Key": f"bad {name}"} if key else {}
    for _ in range(2):
        answer = batch(shared_api, GOOD, BAD[name], GOOD, **headers)
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [result["status"] for result in results] == [200, 422, 200]
        assert all({"loc", "msg", "type"} == set(one) for one in results[1]["detail"])


def test_a_repeated_batch_with_a_key_sends_nothing_again(api: Api, engine: Engine) -> None:
    """A repeated batch gets its first answer: for what was sent, and for what was refused and would pass today."""
    entries = [GOOD, GOOD | {"receiver_id": 404}, GOOD | {"receiver_id": 3}]
    first = batch(api, *entries, **{"Idempotency-Key": "b"})
    assert [result["status"] for result in first.json()["results"]] == [200, 404, 200]
    assert "Idempotency-Replay" not in first.headers
    with engine.begin() as connection:
        add_people(connection, [404])
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 3"))
    assert wait_until(lambda: api.send(api.person(1), receiver_id=3).status_code == 404, seconds=20)
    count = count_accepted(engine)
    again = batch(api, *entries, **{"Idempotency-Key": "b"})
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replay"] == "true"
    assert count_accepted(engine) == count


def test_the_key_of_a_batch_is_bound_to_its_whole_body(api: Api, engine: Engine) -> None:
    """A batch's key with another body is 422 and sends nothing, even if the two bodies share entries."""
    key = {"Idempotency-Key": "b"}
    entries = [GOOD | {"receiver_id": 404}, GOOD]
    assert batch(api, *entries, **key).status_code == 200
    for other in ([*entries, GOOD], entries[:1], [GOOD], [GOOD | {"title": "another"}] * 500):
        answer = batch(api, *other, **key)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]
    single = api.send({**api.app(), **key}, **GOOD)
    assert single.status_code == 422
    assert api.send({**api.app(), "Idempotency-Key": "s"}, **GOOD).status_code == 200
    assert batch(api, GOOD, **{"Idempotency-Key": "s"}).status_code == 422
    assert count_accepted(engine) == 2


def test_a_batch_that_was_cut_short_is_completed(api: Api, engine: Engine) -> None:
    """A retry sends the entries without a first answer, once; the others keep theirs."""
    entries = [GOOD | {"title": str(number)} for number in range(4)]
    first = batch(api, *entries, **{"Idempotency-Key": "b"}).json()["results"]
    lost = [result["message"]["id"] for result in first[2:]]
    with engine.begin() as connection:
        for table, column in (("accepted", "id"), ("idempotency_keys", "message_id")):
            connection.execute(
                text(f"DELETE FROM {table} WHERE {column} = ANY(:ids)"), {"ids": lost}
            )
    again = batch(api, *entries, **{"Idempotency-Key": "b"})
    assert "Idempotency-Replay" not in again.headers
    results = again.json()["results"]
    assert results[:2] == first[:2]
    assert [result["message"]["title"] for result in results] == ["0", "1", "2", "3"]
    assert count_accepted(engine) == 4


def test_many_at_once_with_one_key_are_one_batch(api: Api, engine: Engine) -> None:
    """Twenty equal requests with one key get twenty equal answers, and every entry is sent once."""
    entries = [GOOD | {"title": str(number)} for number in range(10)]
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(batch, api, *entries, **{"Idempotency-Key": "b"}) for _ in range(20)]
    assert len({one.result().content for one in asked}) == 1
    assert count_accepted(engine) == 10
