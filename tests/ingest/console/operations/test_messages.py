"""Messages looked up at the console: their way, what a request sent, and who may read what was written."""

import asyncio

from sqlalchemy import Engine

from storage.model.operator import Role
from storage.settings import ValkeySettings, load
from storage.valkey.push_questions import PushAnswer, PushQuestions
from tests.ingest.api_server import Api
from tests.ingest.console.pages import act_as, add_operator, get, post, read_audit


def test_a_message_is_found_by_the_id_of_its_request(console: Api) -> None:
    """What a request sent is found by its X-Request-Id, before it is in a history and after; an unknown id finds nothing."""
    sender = console.person(1) | {"X-Request-Id": "from-the-shop/7"}
    id = console.send_for_id(sender, receiver_id=2, title="private title")
    for _ in range(2):
        [found] = get(console, "messages?request_id=from-the-shop/7").json()["messages"]
        assert (found["id"], found["receiver_id"]) == (str(id), "2")
        console.deliver()
    answer = get(console, "messages?request_id=nobody's").json()
    assert answer == {"messages": [], "searched_to": None, "next_before_id": None}
    shown = get(console, f"messages/{id}")
    assert shown.json()["request_id"] == "from-the-shop/7"
    assert "private title" not in shown.text


def test_the_way_of_a_message_is_shown(console: Api) -> None:
    """A message is ACCEPTED and not published, then DELIVERED and published, then read, then recalled."""
    id = console.send_for_id(console.person(1), receiver_id=2)
    before = get(console, f"messages/{id}").json()
    assert (before["status"], before["publication"]) == ("ACCEPTED", "not-yet")
    console.deliver()
    after = get(console, f"messages/{id}").json()
    assert (after["status"], after["publication"], after["read_at"]) == ("DELIVERED", "done", None)
    assert console.client.put("/api/v1/messages/read-all", headers=console.person(2)).is_success
    assert get(console, f"messages/{id}").json()["read_at"] is not None
    assert post(console, f"messages/{id}/recall").status_code == 200
    gone = get(console, f"messages/{id}").json()
    assert (gone["status"], gone["publication"]) == ("RECALLED", None)
    assert gone["recalled_at"] is not None
    assert get(console, "messages/12345").status_code == 404
    assert get(console, "messages/x").status_code == 422


def test_a_cards_page_says_who_changed_it_when(console: Api) -> None:
    """A card has its state, its app's name for it, and each version with who, when and in which request; never a text of it."""
    card = {
        "type": "NOTIFICATION",
        "receiver_id": 2,
        "title": "t",
        "content": "private",
        "state": "PENDING",
    }
    id = console.send_for_id(console.app(), **card, ref="leave/1", state_text="private words")
    unchanged = get(console, f"messages/{id}").json()["card"]
    assert unchanged == {"state": "PENDING", "ref": "leave/1", "version": 1, "versions": []}
    for number, state in enumerate(("DONE", "CLOSED")):
        headers = console.app() | {"X-Request-Id": f"decided-{number}"}
        changed = console.ask("PATCH", f"/messages/{id}", headers=headers, json={"state": state})
        assert changed.is_success, changed.text
    answer = get(console, f"messages/{id}")
    shown = answer.json()["card"]
    assert (shown["state"], shown["version"]) == ("CLOSED", 3)
    told = [(one["version"], one["changed_by"], one["request_id"]) for one in shown["versions"]]
    assert told == [(3, "app:7", "decided-1"), (2, "app:7", "decided-0")]
    assert all(one["changed_at"] for one in shown["versions"])
    assert "private" not in answer.text
    plain = console.send_for_id(console.person(1), receiver_id=2)
    assert get(console, f"messages/{plain}").json()["card"] is None


def test_gateways_are_asked_to_how_many_sockets_it_went(console: Api) -> None:
    """The sockets of all gateways are added up; one that does not remember that far back makes the number a lower bound."""
    id = console.send_for_id(console.person(1), receiver_id=2)
    nobody_yet = get(console, f"messages/{id}").json()["push"]
    assert nobody_yet == {"sockets": 0, "first_at": None, "answered": 0, "gateways": 0, "is_whole": True}  # fmt: skip

    def answer(name: str, given: PushAnswer) -> None:
        async def story() -> None:
            pipe = PushQuestions(load(ValkeySettings, console.environ))
            assert id in await pipe.find_asked()
            await pipe.answer(name, {id: given})
            await pipe.close()

        asyncio.run(story())

    answer("a", PushAnswer(3, 1_800_000_000_000, 1))
    answer("b", PushAnswer(0, None, 1))
    whole = get(console, f"messages/{id}").json()["push"]
    assert (whole["sockets"], whole["answered"], whole["is_whole"]) == (3, 2, True)
    assert whole["first_at"] is not None
    answer("c", PushAnswer(0, None, 4_000_000_000_000))
    assert not get(console, f"messages/{id}").json()["push"]["is_whole"]


def test_what_was_written_is_shown_to_admins_and_that_is_audited(
    console: Api, engine: Engine
) -> None:
    """An admin reads what was written, and a row of the audit says so; an operator may not, and a row says that too."""
    id = console.send_for_id(console.person(1), receiver_id=2, content="the secret of Li")
    answer = post(console, f"messages/{id}/content")
    assert answer.json()["content"] == "the secret of Li"
    [row] = read_audit(engine, act="message.read-content")
    assert row.target == f"message {id}"
    assert post(console, "messages/12345/content").status_code == 404
    add_operator(engine, "wang", role=Role.OPERATOR)
    with act_as(console, "wang"):
        assert post(console, f"messages/{id}/content").status_code == 403
        assert post(console, f"messages/{id}/recall").status_code == 200
    assert [row.who for row in read_audit(engine, act="refused")] == ["wang"]
    assert [row.who for row in read_audit(engine, act="message.recall")] == ["wang"]
