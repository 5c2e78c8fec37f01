"""The console in a real browser, on a running stack: watching a broadcast, and every lever."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage.keys.vault import Vault, VaultSettings
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.people.people_import import NewPerson, import_people
from storage.settings import DatabaseSettings, load
from tests import services
from tests.browser import Page, chromium, needs_chromium
from tests.builders import a_broadcast, a_send, accept
from tests.services import Stack

pytestmark = needs_chromium
PEOPLE = range(1, 20_001)
TITLE = "<img src=x onerror=document.title='mine'>"
SIGNED_IN = "!document.querySelector('#console').hidden"


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack with many people and an app; small chunks, so that a broadcast takes a while."""
    with services.stack(CARILLON_CHUNK_SIZE="100") as stack:
        yield stack


@pytest.fixture(scope="module")
def record(own_stack: Stack) -> Iterator[Engine]:
    """Its database."""
    settings = load(DatabaseSettings, own_stack.environ)
    engine = make_blocking_engine(settings, application_name="tests")
    with engine.begin() as connection:
        import_people(connection, (a_person(n) for n in PEOPLE))
        vault = Vault(load(VaultSettings, own_stack.environ))
        apps.add(connection, NewApp("oa", "OA系统", "https://oa.example.com/cb", ()), vault=vault)
    yield engine
    engine.dispose()


def a_person(number: int) -> NewPerson:
    """One of many."""
    return NewPerson(number, "", f"人{number}", f"person{number}", "ACTIVE", "ORDINARY_USER")


@pytest.fixture
def page(own_stack: Stack, tmp_path: Path) -> Iterator[Page]:
    """The console, signed in."""
    with chromium(tmp_path) as page:
        page.go(f"{own_stack.url}/console")
        page.does("!document.querySelector('#login').hidden")
        sign_in(page, own_stack.environ["CARILLON_CONSOLE_TOKEN"])
        page.does(SIGNED_IN)
        yield page


def sign_in(page: Page, token: str) -> None:
    """Fill in the form and press its button."""
    page.run(f"document.querySelector('#token').value = {token!r}")
    page.run("document.querySelector('#login button').click()")


def press(page: Page, label: str, *, where: str) -> None:
    """Press a button by its text, and say yes to the question."""
    button = (
        f"[...document.querySelectorAll('{where} button')].find(b => b.textContent === '{label}')"
    )
    page.does(button)
    page.run(f"{button}.click()")
    page.does("document.querySelector('#ask').open")
    page.run("document.querySelector('#yes').click()")


def broadcast(record: Engine) -> int:
    """Accept a broadcast to everyone; the sweep rings for it."""
    with record.begin() as connection:
        [id] = accept(connection, a_broadcast(app_id=1, sent_by_app_id=1, title=TITLE))
    return id


@contextmanager
def the_last_one_held_up(record: Engine) -> Iterator[None]:
    """Expanding waits at the conversation of the last person until the end of the block.

    However fast the machine is, a broadcast is then seen on its way.
    """
    with record.connect() as connection:
        connection.execute(
            text(
                "INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, "
                "updated_at) VALUES (:last, -1, 0, 0, now())"
            ),
            {"last": PEOPLE[-1]},
        )
        yield
        connection.rollback()


def test_a_wrong_token_is_said_and_signing_out_works(own_stack: Stack, page: Page) -> None:
    """The page says that a token is wrong, signing out leads back to the form, and a title with markup stays a text."""
    page.run("document.querySelector('#logout').click()")
    page.does("!document.querySelector('#login').hidden")
    sign_in(page, "not the operator's")
    page.does("document.querySelector('#login .error').textContent.includes('not the operator')")
    sign_in(page, own_stack.environ["CARILLON_CONSOLE_TOKEN"])
    page.does(SIGNED_IN)


def test_a_broadcast_is_seen_to_happen(page: Page, record: Engine) -> None:
    """While a broadcast is expanded its bar moves and the plot of deliveries rises, and at the end everyone has it."""
    bar = "document.querySelector('#running progress')"
    page.does("document.querySelectorAll('#tiles dd').length === 12")
    with the_last_one_held_up(record):
        broadcast(record)
        page.does(f"{bar} && {bar}.value > 0 && {bar}.value < {len(PEOPLE)}")
    page.does(f"{bar}.value === {len(PEOPLE)}", seconds=60)
    page.does("document.querySelector('#running .status').textContent === 'DONE'")
    page.does("document.querySelectorAll('#plots canvas').length === 4")
    assert page.value("document.querySelector('#running td.long').textContent") == TITLE
    assert page.value("document.title") == "Carillon console"
    assert page.value("document.querySelector('#problem').textContent") == ""


def test_a_broadcast_is_cancelled_and_recalled(page: Page, record: Engine) -> None:
    """A broadcast can be cancelled and recalled from its row, which then shows what became of it."""
    id = broadcast(record)
    row = f'tr[data-id="{id}"]'
    press(page, "Cancel", where=f"#running {row}")
    state = f"document.querySelector('#broadcasts {row} .status')"
    page.run("location.hash = '#broadcasts'")
    page.does(f"{state} && {state}.textContent === 'CANCELLED'")
    press(page, "Recall", where=f"#broadcasts {row}")
    page.does(
        f"document.querySelector('#running {row} .status').textContent === 'RECALLED'", seconds=60
    )


def test_a_failed_send_is_replayed(page: Page, record: Engine) -> None:
    """A dead letter shows in the badge and on its page, and after a replay it arrives under its id."""
    with record.begin() as connection:
        [id] = accept(connection, a_send(is_broadcast=False))
        connection.execute(
            text(
                "WITH gone AS (DELETE FROM accepted WHERE id = :id RETURNING *) "
                "INSERT INTO failed_sends (id, payload, error, attempts) "
                "SELECT id, to_jsonb(gone), 'It is poison.', 5 FROM gone"
            ),
            {"id": id},
        )
    page.does("document.querySelector('#failed-badge').textContent === '1'")
    page.run("location.hash = '#failed'")
    press(page, "Replay", where="#failed")
    page.does("document.querySelector('#failed .rows').textContent === 'There are none.'")
    page.does("document.querySelector('#failed-badge').hidden")
    with record.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM messages WHERE id = :id"), {"id": id})
        assert found.scalar_one() == 1


def test_a_secret_is_shown_once(page: Page) -> None:
    """A new secret is shown in a dialog that forgets it when it is closed."""
    page.run("location.hash = '#apps'")
    press(page, "Rotate secret", where="#apps")
    page.does("document.querySelector('#secret').open")
    page.does("document.querySelector('#secret-text').value.length > 30")
    page.run("document.querySelector('#secret button').click()")
    page.does("document.querySelector('#secret-text').value === ''")


def test_people_are_looked_up(page: Page) -> None:
    """Looking up an id shows one person, looking up a name the first of the many who have it."""
    page.run("location.hash = '#people'")
    for asked, said in (("77", "1 found."), ("person1999", "11 found."), ("person", "20,000 found, the first 50 shown.")):  # fmt: skip
        page.run(f"document.querySelector('#q').value = '{asked}'")
        page.run("document.querySelector('#search button').click()")
        page.does(f"document.querySelector('#found').textContent === '{said}'")


def test_a_server_that_is_away_is_said_and_found_again(own_stack: Stack, page: Page) -> None:
    """When the server is away the page stays and says so, and it goes on when the server is back."""
    web = own_stack.processes["web"]
    page.does("document.querySelector('#state').textContent === 'live'")
    web.kill()
    page.does("document.querySelector('#state').className === 'away'")
    web.launch()
    own_stack.wait_ready()
    page.does("document.querySelector('#state').textContent === 'live'")
