"""The guides in `docs/api/` are true: their examples run, and answers have the fields that are shown."""

from pathlib import Path

import pytest

from tests.browser import chromium, needs_chromium
from tests.journey.client import Client
from tests.journey.guides import (
    FOLDER,
    Terminal,
    find_shape,
    is_alike,
    pair_outputs,
    read_blocks,
    read_fences,
    read_file,
    read_outline,
)
from tests.services import Stack

PAGES = ("integrate-an-app.md", "build-a-client.md", "connect-your-identity-provider.md")
# Its example is a page, which `test_embedding.py` opens in a browser.
IN_BROWSERS = ("embed-the-inbox.md",)
README = "../../README.md"
CHINESE = FOLDER / "zh"
# Ids that nobody else on the shared stack has.
OF_THE_TOUR = {"10001": "32001", "2048": "32002", "oa_system": "oa_tour"}
WORDS = {"sh": {"run"}, "python": {"run"}, "json": {"output"}}


# With the default broker only: stacks on one RabbitMQ share its queues, and `test_journey.py` may be running on it.
on_valkey = pytest.mark.parametrize("stack", [{}], indirect=True, ids=["valkey"], scope="session")


@pytest.fixture(scope="module")
def terminal(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A reader's shell in which the steps of "Try it" were taken."""
    environ = stack.environ | {"API": f"{stack.url}/api/v1"}
    terminal = Terminal(tmp_path_factory.mktemp("reader"), environ)
    printed = terminal.run("README.md", keep=True)
    for line, shown, came in pair_outputs("README.md", printed):
        assert shown == came, line
    return terminal


@on_valkey
@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_guide_runs(terminal: Terminal, page: str) -> None:
    """Each block that is marked to run succeeds, and prints an answer with exactly the fields that the page shows."""
    printed = terminal.run(page)
    assert len(printed) >= 3
    for line, shown, came in pair_outputs(page, printed):
        assert is_alike(find_shape(shown), find_shape(came)), f"{page}:{line}: {came}"


@on_valkey
def test_the_tour_of_the_readme_works(terminal: Terminal, stack: Stack) -> None:
    """The commands that README shows work: a message is read, a notification and a broadcast are accepted, a card changes."""
    printed = terminal.run(README, replaced=OF_THE_TOUR | {"http://127.0.0.1:8000": stack.url})
    _, talked, sent, changed = printed.values()
    assert talked.count("你好,这是一条私信") == 3
    told, broadcast_id = sent.strip().splitlines()
    assert told.endswith("is accepted.")
    assert broadcast_id.isdigit()
    assert '{"updated_count":1}' in changed
    assert '"state":"DONE","state_text":"已由张三处理"' in changed


def test_every_marked_block_is_one_that_the_tests_know() -> None:
    """Every page is run, and every marked block has a mark that the tests know: a misspelt one would never be run.

    `errors.md` is made from the code and has nothing to run.
    """
    assert {path.name for path in FOLDER.glob("*.md")} == {
        *("README.md", "errors.md"),
        *PAGES,
        *IN_BROWSERS,
    }
    for page in ("README.md", README, *PAGES, *IN_BROWSERS):
        for block in read_blocks(page):
            is_file = block.word.startswith("file=") and block.language in {"python", "js", "html"}
            assert is_file or block.word in WORDS.get(block.language, ()), f"{page}:{block.line}"


def test_every_guide_is_there_in_chinese() -> None:
    """Each page of the guides is there in English and in Chinese."""
    assert {path.name for path in CHINESE.glob("*")} == {path.name for path in FOLDER.glob("*.md")}


@pytest.mark.parametrize("page", ["README.md", "errors.md", *PAGES, *IN_BROWSERS])
def test_a_chinese_guide_says_what_the_english_one_says(page: str) -> None:
    """A Chinese guide has the English one's examples, which are run with that one, its headings, and its rows of tables."""
    english, chinese = FOLDER / page, CHINESE / page
    assert read_fences(chinese) == read_fences(english)
    assert read_outline(chinese) == read_outline(english)


@on_valkey
@needs_chromium
def test_the_browser_example_follows_messages_through_a_restart(
    stack: Stack, client: Client, people: tuple[int, int, int], tmp_path: Path
) -> None:
    """The client of the guide gets every message once, also what was sent while its server was away."""
    me, you, _ = people
    body = {"type": "MESSAGE", "receiver_id": you, "title": "私信", "content": "你好"}
    with client.user(me) as sender, chromium(tmp_path) as page:
        page.go(f"{stack.url}/healthz")
        page.does("document.readyState === 'complete'")
        page.run(
            read_file("build-a-client.md", "messages.js")
            + "const seen = []; let mayConnect = true;"
            "async function getToken() {"
            "  while (!mayConnect) await new Promise((done) => setTimeout(done, 20));"
            f"  return {client.token(you)!r};"
            "}"
            f"followMessages({stack.socket_url!r}, getToken,"
            "(frame) => seen.push(frame.type === 'NEW_MESSAGE' ? frame.data.id : frame.type));"
        )
        sent: list[int] = []

        def send() -> None:
            sent.append(sender.post("/messages/", json=body).json()["id"])

        page.does("seen[0] === 'HELLO'", seconds=20)
        send()
        page.does("seen.length === 2", seconds=20)
        page.run("mayConnect = false")
        stack["web"].kill()
        stack.start()
        with client.socket(you) as other:
            send()
            assert other.next_message()["id"] == sent[-1]
        page.run("mayConnect = true")
        page.does(f"seen.includes({sent[-1]})", seconds=40)
        assert page.value("seen") == ["HELLO", sent[0], "HELLO", sent[1]]
