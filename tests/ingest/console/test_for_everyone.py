"""The console by keyboard, on a phone, in the dark and in Chinese: everybody can use every page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from storage.model.pause import PauseKind
from storage.postgres import pauses
from tests.axe import list_barriers
from tests.browser import Page, needs_chromium
from tests.builders import a_send, accept
from tests.ingest.console.pages import ROOT
from tests.ingest.console.steps import IS_LIVE, broadcast, bury, find_button, visit
from tests.services import Stack
from tests.storage.postgres.app_events.steps import ask_for, write

pytestmark = needs_chromium
TAB, ESCAPE = 9, 27
PAGES = (
    *(
        "overview",
        "broadcasts",
        "scheduled",
        "messages",
        "failed",
        "apps",
        "callbacks",
        "people?q=person1",
    ),
    *("pauses", "operators", "audit", "account"),
)
# Things to press that no finger reaches: beside the window, or without an extent.
OUT_OF_REACH = """
[...document.querySelectorAll('#console button, #console a, #console input')].filter(one => {
  const place = one.getBoundingClientRect();
  return one.checkVisibility() && one.id !== 'skip' && (place.left < 0 || place.right > innerWidth || !place.width);
}).map(one => one.textContent)
"""


@pytest.fixture
def rows(page: Page, record: Engine) -> Iterator[Page]:
    """The console, when there is something on every page."""
    broadcast(record, title="公告")
    with record.begin() as connection:
        accept(connection, a_send(send_at=datetime.now(UTC) + timedelta(hours=1)))
        pauses.pause(connection, PauseKind.APP, "oa", reason="an upgrade", until=None, actor=ROOT)
    bury(record, title="the salary of May", sent_by_app_id=1)
    ask_for(record, app_id=1, url="https://oa.example.com/events")
    with record.begin() as connection:
        write(connection, 1, app_id=1)
        connection.execute(
            text(
                "UPDATE app_callbacks SET status = 'PAUSED', attempts = 9, last_error = 'It answered 500.', last_seq = 2, taken_up_to = 2"
            )
        )
    page.does("document.querySelector('.badge') && document.querySelector('#running tbody tr')")
    yield page
    with record.begin() as connection:
        pauses.resume(connection, PauseKind.APP, "oa", actor=ROOT)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(rows: Page, *, language: str, scheme: str) -> None:
    """Axe finds no barrier on any page, in the light and in the dark, in English and in Chinese, wide and narrow."""
    rows.prefer(scheme=scheme)
    choice = f"document.querySelector('#console [data-language={language}]')"
    rows.run(f"{choice}.click()")
    newest = "document.querySelector('#running tbody tr').dataset.id"
    rows.does(newest)
    one = rows.value(newest)
    found = {}
    for path in (*PAGES, f"broadcasts/{one}", f"messages?q={one}"):
        rows.run(f"location.hash = '#/{path}'")
        rows.does(f"document.querySelector('#page').dataset.page === {path.split('?')[0]!r}")
        rows.does("['live', '实时'].includes(document.querySelector('#state').textContent)")
        for width in (1300, 390):
            rows.resize(width, 800)
            found[path, width] = list_barriers(rows)
    assert {where: barriers for where, barriers in found.items() if barriers} == {}
    assert rows.value("document.documentElement.lang") == language


def test_axe_sees_a_barrier(page: Page) -> None:
    """A button without a name is a barrier that axe reports, so that finding none means something."""
    page.run("document.querySelector('#console').append(document.createElement('button'))")
    assert any(barrier.startswith("button-name") for barrier in list_barriers(page))


def test_sign_in_and_questions_have_no_barrier(own_stack: Stack, rows: Page) -> None:
    """Axe finds no barrier on the page to sign in, and none while a question is open."""
    visit(rows, "failed")
    rows.run(f"{find_button('Drop')}.click()")
    rows.does("document.querySelector('#ask').open")
    assert list_barriers(rows) == []
    rows.run("document.querySelector('#ask button').click()")
    rows.run("document.querySelector('#logout').click()")
    rows.does("!document.querySelector('#login').hidden")
    assert list_barriers(rows) == []


def test_a_phone_shows_every_page_whole(rows: Page) -> None:
    """In a window 390 pixels wide no page goes sideways, and everything that can be pressed is within it."""
    rows.resize(390, 800)
    for path in PAGES:
        visit(rows, path)
        assert rows.value("document.documentElement.scrollWidth <= innerWidth"), path
        assert rows.value(OUT_OF_REACH) == [], path
    rows.run("document.querySelector('#menu').click()")
    rows.does("document.querySelector('#pages a').checkVisibility()")
    assert rows.value(OUT_OF_REACH) == []


def test_every_control_is_reached_by_the_keyboard(rows: Page) -> None:
    """The key Tab reaches every link and button of a page, the skip link first, and what has the focus shows it."""
    visit(rows, "failed")
    rows.run("document.activeElement.blur(); document.body.focus()")
    wanted = rows.value(
        "[...document.querySelectorAll('#console a, #console button')].filter(one => one.checkVisibility()).length"
    )
    rows.run("window.reached = new Set()")
    first = None
    for _ in range(wanted + 2):
        rows.press_key("Tab", code=TAB)
        first = first or rows.value("document.activeElement.id")
        rows.run("reached.add(document.activeElement)")
        if rows.value("document.activeElement !== document.body"):
            assert rows.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert first == "skip"
    missed = (
        "[...document.querySelectorAll('#console a, #console button')]"
        ".filter(one => one.checkVisibility() && !reached.has(one)).map(one => one.outerHTML)"
    )
    assert rows.value(missed) == []
    rows.run("document.querySelector('#skip').click()")
    assert rows.value("document.activeElement.id") == "title"


def test_a_question_keeps_the_focus_and_gives_it_back(rows: Page) -> None:
    """While a question is open the key Tab stays in it, Escape means no, and the focus returns to what was pressed."""
    visit(rows, "failed")
    drop = find_button("Drop")
    rows.does(drop)
    rows.run(f"{drop}.focus(); {drop}.click()")
    rows.does("document.querySelector('#ask').open")
    assert rows.value("document.activeElement.value") == "no"
    for _ in range(5):
        rows.press_key("Tab", code=TAB)
        assert rows.value(
            "document.activeElement === document.body || document.querySelector('#ask').contains(document.activeElement)"
        )
    rows.press_key("Escape", code=ESCAPE)
    rows.does("!document.querySelector('#ask').open")
    assert rows.value(f"document.activeElement === {drop}")
    assert rows.value("document.querySelectorAll('#page tbody tr').length") > 0


def test_the_language_is_the_browser_s_and_can_be_changed(own_stack: Stack, page: Page) -> None:
    """The console speaks the browser's language, the other one at a press, and then that one the next time too."""
    page.does(IS_LIVE)
    page.run("document.querySelector('#console [data-language=zh]').click()")
    page.does("document.querySelector('#title').textContent === '概览'")
    page.does("document.querySelector('#pages a').textContent === '概览'")
    page.go(f"{own_stack.url}/console/#/apps")
    page.run("location.reload()")
    page.does("document.querySelector('#title')?.textContent === '应用'")
    page.run("localStorage.clear()")
    page.prepare(
        "Object.defineProperty(navigator, 'languages', {get: () => ['fr', 'zh-TW', 'en']})"
    )
    page.run("location.reload()")
    page.does("document.querySelector('#logout')?.textContent === '退出'")
