"""Pages that are drawn anew every second under the operator's hands: they are live, and what is pressed is what was meant."""

from sqlalchemy import Engine, text

from tests.browser import Page, needs_chromium
from tests.ingest.console.steps import (
    IS_LIVE,
    SIGNED_IN,
    SIGNED_OUT,
    broadcast,
    bury,
    find_button,
    press,
    sign_in,
    the_last_one_held_up,
    visit,
)
from tests.services import Stack

pytestmark = needs_chromium
ENTER = 13
# Counts how often the page has asked the server.
COUNT_LOOKS = """
window.looks = 0;
const asked = fetch;
window.fetch = (...given) => asked(...given).finally(() => { window.looks += String(given[0]).endsWith("look"); });
"""
ASK_IS_OPEN = "document.querySelector('#ask').open"


def wait_for_looks(page: Page, count: int) -> None:
    """Wait until the page has asked that often from now on."""
    now = page.value("window.looks")
    page.does(f"window.looks >= {now + count}")


def leave_it(page: Page) -> None:
    """Close the question with no."""
    page.run("document.querySelector('#ask button').click()")
    page.does(f"!{ASK_IS_OPEN}")


def test_enter_on_a_focused_button_works_every_time(page: Page, record: Engine) -> None:
    """A button that has the focus keeps it while its page is drawn every second, and Enter works ten times of ten."""
    page.run(COUNT_LOOKS)
    with the_last_one_held_up(record):
        id = broadcast(record)
        visit(page, "broadcasts")
        recall = find_button("Recall", where=f'#page tr[data-id="{id}"]')
        page.does(recall)
        page.run(f"{recall}.focus()")
        for _ in range(10):
            wait_for_looks(page, 2)
            assert page.value(f"document.activeElement === {recall}")
            page.press_key("Enter", code=ENTER, text="\r")
            page.does(ASK_IS_OPEN)
            leave_it(page)


def test_a_press_of_the_mouse_works_every_time(page: Page, record: Engine) -> None:
    """A press of the mouse that spans a drawing of its page works, twenty times of twenty."""
    page.run(COUNT_LOOKS)
    page.resize(1300, 800)
    with the_last_one_held_up(record):
        id = broadcast(record)
        recall = find_button("Recall", where=f'#running tr[data-id="{id}"]')
        page.does(recall)
        for _ in range(20):
            place = page.value(f"{recall}.getBoundingClientRect()")
            x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
            page.move_mouse("mousePressed", x=x, y=y)
            wait_for_looks(page, 1)
            page.move_mouse("mouseReleased", x=x, y=y)
            page.does(ASK_IS_OPEN)
            leave_it(page)


def test_the_page_of_broadcasts_is_live(page: Page, record: Engine) -> None:
    """A broadcast appears on the page of broadcasts and goes on there, without the operator doing anything."""
    visit(page, "broadcasts")
    with the_last_one_held_up(record):
        id = broadcast(record)
        status = f"document.querySelector('#page tr[data-id=\"{id}\"] .status')"
        page.does(f"{status}?.textContent === 'EXPANDING'")
    page.does(f"{status}?.textContent === 'DONE'", seconds=60)


def test_a_row_that_goes_leaves_the_focus_on_the_page(page: Page, record: Engine) -> None:
    """When the row whose button was pressed is gone, the focus is on the page's heading, and not lost."""
    bury(record)
    visit(page, "failed")
    drop = find_button("Drop")
    page.does(drop)
    page.run(f"{drop}.focus()")
    press(page, "Drop")
    page.does(f"!{drop}")
    page.does("document.activeElement.id === 'title'")
    page.does("document.querySelector('#result').textContent.endsWith('is given up.')")


def test_late_is_said_of_the_page_that_is_shown(page: Page) -> None:
    """A page whose own question is not answered is late, although the look is answered; then it is live again."""
    page.run(
        "const asked = fetch; window.slow = true; window.fetch = async (...given) => {"
        "while (window.slow && String(given[0]).endsWith('failed')) await new Promise(go => setTimeout(go, 50));"
        "return asked(...given); }"
    )
    page.run("location.hash = '#/failed'")
    page.does("document.querySelector('#state').className === 'late'")
    page.run("window.slow = false")
    page.does(IS_LIVE)


def test_a_session_that_is_over_leads_back_to_its_page(
    own_stack: Stack, page: Page, record: Engine
) -> None:
    """When the session ends by itself the page says so and asks to sign in, and then shows the page that was open."""
    visit(page, "people?q=77")
    with record.begin() as connection:
        connection.execute(text("DELETE FROM console_sessions"))
    page.does(SIGNED_OUT)
    assert "session is over" in page.value("document.querySelector('#login .error').textContent")
    sign_in(page, own_stack.environ["CARILLON_CONSOLE_TOKEN"])
    page.does(SIGNED_IN)
    page.does("document.querySelector('#page tbody td')?.textContent === '77'")
    assert page.value("document.querySelector('#login .error').textContent") == ""
