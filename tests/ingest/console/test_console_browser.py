"""The console in a real browser, on a running stack: watching a broadcast, and every lever."""

from sqlalchemy import Engine, text

from tests.browser import Page, needs_chromium
from tests.ingest.console.steps import (
    PEOPLE,
    SIGNED_IN,
    SIGNED_OUT,
    TITLE,
    broadcast,
    bury,
    press,
    sign_in,
    the_last_one_held_up,
    visit,
)
from tests.services import Stack

pytestmark = needs_chromium


def test_a_wrong_token_is_said_and_signing_out_works(own_stack: Stack, page: Page) -> None:
    """The page says that a token is wrong, and signing out leads back to the form."""
    page.run("document.querySelector('#logout').click()")
    page.does(SIGNED_OUT)
    sign_in(page, "not the operator's")
    page.does("document.querySelector('#login .error').textContent.includes('not the operator')")
    sign_in(page, own_stack.environ["CARILLON_CONSOLE_TOKEN"])
    page.does(SIGNED_IN)


def test_a_broadcast_is_seen_to_happen(page: Page, record: Engine) -> None:
    """While a broadcast is expanded its bar moves, at the end everyone has it, and a title with markup stays a text."""
    bar = "document.querySelector('#running progress')"
    page.does("document.querySelectorAll('#tiles dd').length === 12")
    with the_last_one_held_up(record):
        broadcast(record)
        page.does(f"{bar} && {bar}.value > 0 && {bar}.value < {len(PEOPLE)}")
    page.does(f"{bar}.value === {len(PEOPLE)}", seconds=60)
    page.does("document.querySelector('#running .status').textContent === 'DONE'")
    page.does("document.querySelectorAll('#plots canvas').length === 4")
    assert page.value("document.querySelector('#running td.long').textContent") == TITLE
    assert page.value("document.title") == "Overview · Carillon"
    assert page.value("document.querySelector('#problem').textContent") == ""


def test_a_broadcast_is_cancelled_and_recalled(page: Page, record: Engine) -> None:
    """A broadcast can be cancelled and recalled from its row, which then shows what became of it."""
    id = broadcast(record)
    row = f'tr[data-id="{id}"]'
    press(page, "Cancel", where=f"#running {row}")
    visit(page, "broadcasts")
    status = f"document.querySelector('#page {row} .status')"
    page.does(f"{status} && {status}.textContent === 'CANCELLED'")
    press(page, "Recall", where=f"#page {row}")
    page.does(f"{status}.textContent === 'RECALLED'", seconds=60)
    page.does("document.querySelector('#result').textContent.includes('is being taken back')")


def test_a_failed_send_is_replayed(page: Page, record: Engine) -> None:
    """A dead letter shows in the badge and with its title, and after a replay it arrives under its id."""
    id = bury(record, title="the salary of May", sent_by_app_id=1)
    page.does("document.querySelector('.badge')?.textContent === '1'")
    visit(page, "failed")
    page.does("document.querySelector('#page td.long')?.textContent === 'the salary of May'")
    press(page, "Replay")
    page.does("document.querySelector('#page .nothing').textContent === 'There are none.'")
    page.does("!document.querySelector('.badge')")
    with record.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM messages WHERE id = :id"), {"id": id})
        assert found.scalar_one() == 1


def test_a_secret_is_shown_once(page: Page) -> None:
    """A new secret is shown in a dialog that forgets it when it is closed."""
    visit(page, "apps")
    press(page, "Rotate secret")
    page.does("document.querySelector('#shown').open")
    page.does("document.querySelector('#secret').textContent.length > 30")
    page.run("document.querySelector('#shown button').click()")
    page.does("!document.querySelector('#secret')")


def test_people_are_looked_up_page_by_page(page: Page) -> None:
    """Looking up an id shows one person, looking up a name the first of the many who have it, and then the next ones."""
    visit(page, "people")
    for asked, said in (("77", "1 found."), ("person1999", "11 found."), ("person", "20,000 found, 1 to 50 shown.")):  # fmt: skip
        page.run(f"document.querySelector('#q').value = '{asked}'")
        page.run("document.querySelector('.search button').click()")
        page.does(f"document.querySelector('#page .hint')?.textContent === '{said}'")
    page.run("[...document.querySelectorAll('.pager a')].at(-1).click()")
    page.does(
        "document.querySelector('#page .hint').textContent === '20,000 found, 51 to 100 shown.'"
    )
    page.does("document.querySelector('#page tbody td').textContent === '51'")


def test_a_server_that_is_away_is_said_and_found_again(own_stack: Stack, page: Page) -> None:
    """When the server is away the page stays and says so, and it goes on when the server is back."""
    web = own_stack.processes["web"]
    page.does("document.querySelector('#state').textContent === 'live'")
    web.kill()
    page.does("document.querySelector('#state').className === 'offline'")
    web.launch()
    own_stack.wait_ready()
    page.does("document.querySelector('#state').textContent === 'live'")
