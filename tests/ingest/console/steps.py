"""What an operator does in a browser, step by step, and what there is to be seen in the record."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text

from tests.browser import Page
from tests.builders import a_broadcast, a_send, accept

PEOPLE = range(1, 20_001)
# A page that took it for HTML would give the document another title.
TITLE = "<img src=x onerror=document.title='mine'>"
SIGNED_IN = "!document.querySelector('#console').hidden"
SIGNED_OUT = "!document.querySelector('#login').hidden"
IS_LIVE = "document.querySelector('#state').textContent === 'live'"


def sign_in(page: Page, token: str) -> None:
    """Fill in the form and press its button."""
    page.run(f"document.querySelector('#token').value = {token!r}")
    page.run("document.querySelector('#login button').click()")


def visit(page: Page, path: str) -> None:
    """Go to a page of the console, and wait until it is live."""
    page.run(f"location.hash = {json.dumps(f'#/{path}')}")
    page.does(
        f"document.querySelector('#page').dataset.page === {json.dumps(path.split('?', maxsplit=1)[0])}"
    )
    page.does(IS_LIVE)


def find_button(label: str, *, where: str = "#page") -> str:
    """The expression of a button, by its text and a selector of what it is in."""
    buttons = f"[...document.querySelectorAll({json.dumps(f'{where} button')})]"
    return f"{buttons}.find(b => b.textContent === {json.dumps(label)})"


def press(page: Page, label: str, *, where: str = "#page") -> None:
    """Press a button by its text, and say yes to the question."""
    page.does(find_button(label, where=where))
    page.run(f"{find_button(label, where=where)}.click()")
    page.does("document.querySelector('#ask').open")
    page.run("document.querySelector('#yes').click()")


def broadcast(record: Engine, *, title: str = TITLE) -> int:
    """Accept a broadcast to everyone; the sweep rings for it."""
    with record.begin() as connection:
        [id] = accept(connection, a_broadcast(app_id=1, sent_by_app_id=1, title=title))
    return id


def bury(record: Engine, **fields: Any) -> int:
    """A send that failed five times; its id. `fields` are those of a send."""
    with record.begin() as connection:
        [id] = accept(connection, a_send(**fields))
        connection.execute(
            text(
                "WITH gone AS (DELETE FROM accepted WHERE id = :id RETURNING *) "
                "INSERT INTO failed_sends (id, payload, error, attempts) "
                "SELECT id, to_jsonb(gone), 'It is poison.', 5 FROM gone"
            ),
            {"id": id},
        )
    return id


@contextmanager
def the_last_one_held_up(record: Engine) -> Iterator[None]:
    """Expanding waits at the conversation of the last person until the end of the block.

    However fast the machine is, a broadcast is then seen on its way.
    """
    with record.connect() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(
            text(
                "INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, "
                "updated_at) VALUES (:last, -1, 0, 0, now()) ON CONFLICT (user_id, peer_id) "
                "DO UPDATE SET updated_at = conversations.updated_at"
            ),
            {"last": PEOPLE[-1]},
        )
        yield
        connection.rollback()
