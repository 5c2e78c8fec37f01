"""`POST /messages/batch` (contract §2): in order, one bad entry fails alone."""

from typing import Any

import pytest

from tests.ingest.running import Api

GOOD: dict[str, Any] = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}


def batch(api: Api, *entries: Any, **headers: str) -> Any:
    """The answer to a batch of app oa."""
    given = {**api.app("oa"), **headers}
    return api.ask("POST", "/messages/batch", headers=given, json={"messages": entries})


def test_each_entry_is_judged_alone_and_answered_in_its_place(shared_api: Api) -> None:
    """With the status it would have had by itself."""
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
    assert all(set(r) == {"status", "message" if r["status"] == 200 else "detail"} for r in results)
    assert results[6]["message"]["receiver_id"] == 3
    assert results[2]["detail"][0]["loc"] == ["body", "title"]


def test_ids_rise_in_the_order_of_the_entries(shared_api: Api) -> None:
    """So that they are in that order in a history."""
    answer = batch(shared_api, *[GOOD] * 500)
    ids = [result["message"]["id"] for result in answer.json()["results"]]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("number", [0, 501])
def test_a_batch_has_1_to_500_entries(shared_api: Api, number: int) -> None:
    """Else 422 for all of it."""
    assert batch(shared_api, *[GOOD] * number).status_code == 422


def test_an_entry_that_is_no_object_is_422(shared_api: Api) -> None:
    """For all of it: the list is malformed."""
    assert batch(shared_api, GOOD, "x").status_code == 422


def test_a_repeated_batch_with_a_key_sends_nothing_again(shared_api: Api) -> None:
    """Every entry has its own first answer."""
    entries = [GOOD, GOOD | {"receiver_id": 404}, GOOD]
    first = batch(shared_api, *entries, **{"Idempotency-Key": "b"}).json()
    assert batch(shared_api, *entries, **{"Idempotency-Key": "b"}).json() == first
    other = batch(shared_api, *entries, GOOD, **{"Idempotency-Key": "b"}).json()["results"]
    assert [result["status"] for result in other] == [422, 404, 422, 200]
