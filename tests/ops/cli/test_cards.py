"""`carillon cards`, on the record of a running stack."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from carillon_client import AppClient, Message, MessageUpdated, NewMessage, PersonClient
from ops.cli.actor import find_actor
from ops.cli.identity.callers import find_secret
from ops.local.polling import wait_until
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests.ops.cli.command import add_app_with_people, carillon, refusal
from tests.services import Stack

PATIENCE = 40.0


@pytest.fixture
def environ(stack: Stack) -> Mapping[str, str]:
    """The settings of the running stack."""
    return stack.environ


@pytest.fixture
def app_id(environ: Mapping[str, str], tmp_path: Path) -> str:
    """An app of this test's own; 501 and 502 exist."""
    return add_app_with_people(environ, tmp_path)


@pytest.fixture
def app(
    environ: Mapping[str, str], app_id: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AppClient]:
    """A client of that app."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with AppClient(stack.url, app_id, find_secret(app_id)) as client:
        yield client


@pytest.fixture
def record(environ: Mapping[str, str]) -> Iterator[Engine]:
    """Connections to the record."""
    engine = make_blocking_engine(load(DatabaseSettings, environ), application_name="tests")
    yield engine
    engine.dispose()


def send_card(app: AppClient, receiver_id: int, ref: str) -> Message:
    """A to-do with a button, in the receiver's history."""
    return app.send(
        receiver_id=receiver_id,
        title="审批通知",
        content="李四申请请假两天",
        action_url="https://a.cn",
        action_text="去审批",
        ref=ref,
        state="PENDING",
        wait=10,
    )


def show(environ: Mapping[str, str], id: int) -> Any:
    """What `cards show` prints."""
    return json.loads(carillon(environ, "cards", "show", id).stdout)


def read_acts(record: Engine, target: str) -> list[Any]:
    """The audit's rows about a target, oldest first."""
    question = text("SELECT who, act, after FROM audit WHERE target = :target ORDER BY id")
    with record.begin() as connection:
        return list(connection.execute(question, {"target": target}))


def test_an_operators_change_is_pushed_and_kept(
    environ: Mapping[str, str], app: AppClient, stack: Stack, record: Engine
) -> None:
    """A card that is changed by a command has its new form on its receiver's socket; versions and audit say who did it."""
    token = carillon(environ, "token", "501").stdout.strip()
    with PersonClient(stack.url, token) as person, person.socket() as socket:
        card = send_card(app, 501, "r")
        new = socket.receive(timeout=PATIENCE)
        assert isinstance(new, NewMessage)
        assert show(environ, card.id)["versions"] == []
        taken = ("--action-url", "", "--action-text", "")
        words = ("--state", "DONE", "--state-text", "已由张三处理", *taken, "--expected-version", 1)
        done = carillon(environ, "cards", "update", card.id, *words)
        assert "version 2" in done.stdout, done.output
        changed = socket.receive(timeout=PATIENCE)
        assert isinstance(changed, MessageUpdated)
        form = changed.message
        assert (form.version, form.state, form.state_text) == (2, "DONE", "已由张三处理")
        assert (form.action_url, form.action_text, form.content) == (None, None, card.content)
    shown = show(environ, card.id)
    assert (shown["version"], shown["state"], shown["ref"]) == (2, "DONE", "r")
    [version] = shown["versions"]
    assert (version["version"], version["changed_by"]) == (2, find_actor().name)
    assert card.content not in json.dumps(shown, ensure_ascii=False)
    [row] = read_acts(record, f"message {card.id}")
    assert (row.who, row.act) == (find_actor().name, "card.update")
    assert row.after == {"version": 2, "state": "DONE"}


def test_all_cards_of_a_matter_are_changed(
    environ: Mapping[str, str], app: AppClient, app_id: str
) -> None:
    """`--ref` changes every card of the matter that was not recalled, also of an app that is disabled meanwhile."""
    cards = [send_card(app, one, "m/1") for one in (501, 502, 502)]
    app.recall(cards[2].id)
    carillon(environ, "app", "disable", app_id)
    of_matter = ("cards", "update", "--ref", "m/1", "--app", app_id)
    done = carillon(environ, *of_matter, "--state", "CLOSED")
    assert done.stdout == "2 are changed.\n", done.output
    assert [show(environ, one.id)["version"] for one in cards] == [2, 2, 1]
    other = ("cards", "update", "--ref", "m/2", "--app", app_id, "--state", "DONE")
    assert "no card with the ref m/2" in refusal(carillon(environ, *other))


def test_a_broadcast_is_changed_for_everyone(
    environ: Mapping[str, str], app: AppClient, stack: Stack
) -> None:
    """A broadcast that is changed by a command has its new form on the sockets of those who have it, and their to-dos move."""
    token = carillon(environ, "token", "502").stdout.strip()
    with PersonClient(stack.url, token) as person:
        before = person.count_todos()
        sent = app.broadcast(
            title="系统公告", content="请填表", state="PENDING", user_ids=[501, 502]
        )
        assert list(app.follow_broadcast(sent.id, every=0.1))[-1].status == "DONE"
        assert person.count_todos() == before + 1
        with person.socket() as socket:
            done = carillon(environ, "cards", "update", sent.id, "--state", "CLOSED")
            assert "version 2" in done.stdout, done.output
            changed = socket.receive(timeout=PATIENCE)
            while not (isinstance(changed, MessageUpdated) and changed.message.id == sent.id):
                changed = socket.receive(timeout=PATIENCE)
            assert (changed.message.version, changed.message.state) == (2, "CLOSED")
        assert wait_until(lambda: person.count_todos() == before, seconds=PATIENCE)


def test_a_card_that_is_a_file_is_left_to_its_app(
    environ: Mapping[str, str], app: AppClient
) -> None:
    """A card whose content is a file is refused with a sentence that says why, and keeps its version."""
    file = app.upload(b"%PDF-1.7", filename="a.pdf")
    card = app.send(receiver_id=501, title="t", content=file.key, content_type="FILE", wait=10)
    said = refusal(carillon(environ, "cards", "update", card.id, "--state", "DONE"))
    assert "is a file" in said
    assert show(environ, card.id)["version"] == 1


def test_what_patch_refuses_is_refused(
    environ: Mapping[str, str], app: AppClient, stack: Stack, record: Engine
) -> None:
    """The rules are those of PATCH, the sentence names the field, and of what is refused nothing is changed or kept."""
    card = send_card(app, 501, "r")

    def refuse(id: int, *words: object) -> str:
        return refusal(carillon(environ, "cards", "update", id, *words))

    assert "title" in refuse(card.id, "--title", "t" * 256)
    assert "action_url" in refuse(card.id, "--action-url", "javascript:alert(1)")
    assert "Name something to change" in refuse(card.id)
    assert "has version 1" in refuse(card.id, "--title", "t", "--expected-version", 2)
    assert "no message 7" in refuse(7, "--title", "t")
    token = carillon(environ, "token", "501").stdout.strip()
    with PersonClient(stack.url, token) as person:
        letter = person.send(receiver_id=502, content="c", wait=10)
    assert "No app has sent" in refuse(letter.id, "--title", "t")
    app.recall(card.id)
    assert "recalled" in refuse(card.id, "--title", "t")
    assert show(environ, card.id)["versions"] == []
    assert read_acts(record, f"message {card.id}") == []
    assert carillon(environ, "cards", "update", "--title", "t").exit_code == 2
    assert carillon(environ, "cards", "update", "--ref", "r", "--title", "t").exit_code == 2
