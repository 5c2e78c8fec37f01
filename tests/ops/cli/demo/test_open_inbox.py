"""`carillon demo --open`: the example it fills, the people who answer, the app behind the buttons."""

import signal
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result

from carillon_client import PersonClient
from ingest.inbox.demo_people import LIN, MEI, TAO
from ops.cli.demo import browser, command, filling, open_inbox
from ops.cli.demo.colleagues import Colleague, stop_colleagues
from ops.cli.demo.company import APPROVALS, EVERYBODY, FANG, WEI
from ops.cli.demo.story import BEFORE, BROADCAST_TITLE, NEW
from ops.local.polling import wait_until
from storage.keys.tokens import TokenSettings, issue_token
from storage.model.errors import TransientError
from storage.settings import load
from tests.browser import serve_folder
from tests.ops.cli.command import begin, carillon, refusal
from tests.services import Stack

pytestmark = pytest.mark.usefixtures("opened")


@pytest.fixture
def run(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `carillon demo --open`; `meanwhile` is done when it is open, and ends it."""

    def run_with(*options: str, meanwhile: Callable[[], object] = lambda: None) -> Result:
        monkeypatch.setattr(command, "_wait_for_interrupt", meanwhile)
        return carillon(environ, "demo", "--open", *options)

    return run_with


def sign_in(stack: Stack, id: int) -> PersonClient:
    """A client of one of the demo's people."""
    settings = load(TokenSettings, stack.environ)
    token = issue_token(settings, id, ttl_seconds=600, now=time.time())
    return PersonClient(stack.url, token)


def read_history(stack: Stack, *, of: int, with_: int) -> list[dict[str, Any]]:
    """The newest messages, newest first."""
    with sign_in(stack, of) as api:
        return [one.raw for one in islice(api.list_history(with_), 100)]


def list_conversations(stack: Stack, *, of: int = MEI.id) -> dict[str, dict[str, Any]]:
    """The conversations of a person, by name."""
    with sign_in(stack, of) as api:
        return {one.full_name: one.raw for one in api.list_conversations()}


def count_messages(stack: Stack, people: tuple[int, ...] = (MEI.id, LIN.id, TAO.id)) -> int:
    """How many messages these people have, in all conversations."""
    return sum(
        len(read_history(stack, of=person, with_=one["user_id"]))
        for person in people
        for one in list_conversations(stack, of=person).values()
    )


def test_an_example_that_was_interrupted_is_completed_and_never_doubled(
    own_stack: Stack, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """Interrupted after some sends, then completed, then repeated: everything is there once, some of it unread."""
    original = filling.Filling._send
    sent: list[str] = []

    def send(self: filling.Filling, *arguments: Any, **options: Any) -> None:
        if len(sent) == 12:
            raise TransientError("interrupted")
        sent.append(options["key"])
        original(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(filling.Filling, "_send", send)
        assert "interrupted" in refusal_of_open(run())
    assert opened == []
    assert "Example  sent" in run().stdout
    assert opened == [f"{own_stack.url}/inbox/?demo={MEI.id}"]
    assert wait_until(lambda: "Help Desk" in str(list_conversations(own_stack)), seconds=20)
    assert wait_until(lambda: has_broadcast(own_stack, LIN.id), seconds=20)
    once = count_messages(own_stack)
    assert "is there already" in run().stdout
    assert count_messages(own_stack) == once
    events = (*BEFORE, *NEW)
    copies = sum(
        len({MEI.id, LIN.id, TAO.id} & {one.receiver.id, getattr(one, "sender", one.receiver).id})
        for one in events
    )
    assert once == copies + 3, "and the broadcast"


def refusal_of_open(result: Result) -> str:
    """The sentence with which it failed, after it had said who is there."""
    assert result.exit_code == 1, result.output
    return result.stderr


def has_broadcast(stack: Stack, person: int) -> bool:
    """Whether the person has the example's broadcast."""
    found = list_conversations(stack, of=person).get("服务台 Help Desk")
    if found is None:
        return False
    history = read_history(stack, of=person, with_=found["user_id"])
    return any(one["title"] == BROADCAST_TITLE for one in history)


def test_it_looks_lived_in(own_stack: Stack, run: Callable[..., Result]) -> None:
    """There are pictures and a file by their names, cards with buttons of several apps, read and unread ones."""
    run()
    found = list_conversations(own_stack)
    assert len(found) >= 10
    unread = {name for name, one in found.items() if one["unread_count"]}
    assert {"陈伟", "李静", "刘洋", "审批 Approvals"} <= unread
    assert {"王芳", "David Okafor", LIN.name}.isdisjoint(unread)
    with_lin = read_history(own_stack, of=MEI.id, with_=LIN.id)
    [picture] = [one for one in with_lin if one["content_type"] == "IMAGE"]
    assert picture["filename"] == "西湖的傍晚.png"
    assert fetch(own_stack, picture["content"]).headers["Content-Type"] == "image/png"
    assert all(one["is_read"] for one in with_lin if one["sender_id"] == MEI.id)
    [file] = [
        one
        for one in read_history(own_stack, of=MEI.id, with_=FANG.id)
        if one["content_type"] == "FILE"
    ]
    assert fetch(own_stack, file["content"]).content.startswith(b"%PDF")
    notices = read_history(own_stack, of=MEI.id, with_=found["审批 Approvals"]["user_id"])
    assert [one["action_text"] for one in notices] == ["Decide", "立即处理", "查看"]


def fetch(stack: Stack, address: str) -> httpx.Response:
    """What is at an address that a message has."""
    return httpx.get(httpx.URL(stack.url).join(address), timeout=20).raise_for_status()


def test_people_answer_and_fall_silent_when_they_are_played(
    own_stack: Stack, run: Callable[..., Result]
) -> None:
    """Who is written to reads it and answers, once; somebody whom another plays in a second window does not."""

    def write() -> None:
        with sign_in(own_stack, MEI.id) as mei, sign_in(own_stack, WEI.id) as wei:
            id = say_to(mei, FANG.id, "三点的会还开吗?")
            assert wait_until(lambda: answers_to(id, FANG.id) == 1, seconds=30)
            [own] = [one for one in read_with(FANG.id) if one["id"] == id]
            assert own["is_read"]
            say_to(wei, MEI.id, "typed by somebody who signed in as 陈伟")
            # His own socket sees that before anything that is sent now.
            silent, other = say_to(mei, WEI.id, "在吗?"), say_to(mei, LIN.id, "你好")
            assert wait_until(lambda: answers_to(other, LIN.id) == 1, seconds=30)
            assert answers_to(silent, WEI.id) == 0

    def read_with(peer: int) -> list[dict[str, Any]]:
        return read_history(own_stack, of=MEI.id, with_=peer)

    def answers_to(id: int, peer: int) -> int:
        return len([one for one in read_with(peer) if one["id"] > id and one["sender_id"] == peer])

    result = run(meanwhile=write)
    assert result.exit_code == 0, result.output
    assert "陈伟 is played by somebody now" in result.stderr
    assert result.stdout.endswith("goes on with the same example.\n")


def say_to(api: PersonClient, receiver: int, content: str) -> int:
    """Write by hand; the id of the message."""
    return api.send(receiver_id=receiver, content=content).id


def test_a_button_signs_on_to_the_demos_app_once(
    own_stack: Stack, run: Callable[..., Result]
) -> None:
    """The button's address leads to a page that says who signed on, and the card is done; the same address again does nothing."""
    pages: list[httpx.Response] = []
    cards: list[tuple[Any, Any, Any]] = []

    def press() -> None:
        with sign_in(own_stack, MEI.id) as mei:
            found = list_conversations(own_stack)["审批 Approvals"]["user_id"]
            notice = next(mei.list_history(found))
            address = mei.get_callback_url(notice.id)
            pages.extend(httpx.get(address, timeout=20) for _ in range(2))
            cards.extend(
                (one.state, one.state_text, one.version) for one in mei.list_history(found)
            )
        host = address.partition("/callback/")[0]
        pages.append(httpx.get(f"{host}/callback/{APPROVALS}", timeout=20))
        pages.append(httpx.get(f"{host}/callback/<script>?next=<script>", timeout=20))
        pages.append(httpx.get(f"{host}/", timeout=20))

    assert run(meanwhile=press).exit_code == 0
    assert [page.status_code for page in pages] == [200, 403, 403, 404, 404]
    assert f"{MEI.name} (mei)" in pages[0].text
    assert "/leave/231" in pages[0].text
    assert "审批 Approvals" in pages[0].text
    assert not any("<script" in page.text for page in pages)
    done, waiting, approved = cards
    assert done == ("DONE", f"已由{MEI.name}处理", 2)
    assert (waiting, approved) == (("PENDING", None, 1), ("DONE", "已由王芳批准", 1))


def test_everyone_is_told_only_if_asked(
    environ: Mapping[str, str], run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many people in the database the broadcast is left out and that is said, as --no-broadcast does in silence."""
    told: list[str] = []
    monkeypatch.setattr(filling.Filling, "broadcast", lambda _self: told.append("all"))
    monkeypatch.setattr(command, "_MANY", len(EVERYBODY) - 1)
    assert "--yes sends it" in run().stdout
    assert "--yes" not in run("--no-broadcast").stdout
    assert told == []
    run("--yes")
    assert told == ["all"]


def test_without_a_browser_the_address_is_said(
    own_stack: Stack, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without a browser the address is printed, with the hint to open it."""
    monkeypatch.setattr(open_inbox, "open_address", lambda _address: False)
    assert f"{own_stack.url}/inbox/?demo={MEI.id}  (no browser here" in run().stdout


def test_a_browser_in_the_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text browser would take the terminal that the demo runs in, so it is not opened."""

    class Lynx:
        name = "lynx"

        def open(self, _address: str) -> bool:
            raise AssertionError("opened")

    monkeypatch.setattr("webbrowser.get", Lynx)
    assert not browser.open_address("http://localhost/")


def test_where_there_is_no_sign_in_a_token_is_given(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """On a stack whose secret was given to it the page asks for a token, and the command prints one."""
    monkeypatch.setattr(command, "_wait_for_interrupt", lambda: None)
    result = carillon(stack.environ, "demo", "--open", "--no-broadcast")
    assert result.exit_code == 0, result.output
    assert opened == [f"{stack.url}/inbox/"]
    [token] = [
        line for line in result.stdout.splitlines() if line.count(".") == 2 and " " not in line
    ]
    with PersonClient(stack.url, token) as api:
        assert list(api.list_conversations())


def test_without_an_inbox_it_says_which_setting_is_missing(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    """Where there is nothing at /inbox nothing is sent, and the setting is named; where nothing answers that is said."""
    with serve_folder(tmp_path) as url:
        assert "CARILLON_INBOX=on" in refusal(carillon(environ, "demo", "--open", "--url", url))
    assert "does not answer" in refusal(carillon(environ, "demo", "--open", "--url", url))


def test_ctrl_c_ends_it_at_any_moment(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pressed while the example is sent, while one waits, and again while it ends: it says that it ended, and is no error."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(filling.Filling, "fill", interrupt)
        assert_ended(run())

    def stop_and_interrupt(colleagues: list[Colleague]) -> None:
        stop_colleagues(colleagues)
        interrupt()

    with monkeypatch.context() as patch:
        patch.setattr(open_inbox, "stop_colleagues", stop_and_interrupt)
        assert_ended(run())
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("threading.Event.wait", interrupt)
    command._wait_for_interrupt()


def assert_ended(result: Result) -> None:
    """It came to its end in good order."""
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("goes on with the same example.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(environ: Mapping[str, str], number: signal.Signals) -> None:
    """As a process of its own it ends at Ctrl-C and at SIGTERM, says so, and its exit code is 0."""
    settings = {name: text for name, text in environ.items() if name.startswith("CARILLON_")}
    process = begin("demo", "--open", "--no-broadcast", BROWSER="true", **settings)
    assert process.stdout is not None
    printed: list[str] = []
    while not any(line.startswith("Answers") for line in printed):
        printed.append(process.stdout.readline())
        assert printed[-1], printed
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert rest.endswith("goes on with the same example.\n")
