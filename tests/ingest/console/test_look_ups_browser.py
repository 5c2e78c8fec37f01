"""The console's pages of one thing, in a real browser: a broadcast, a message, the schedule, pauses, and what a role may."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from storage.model.message import CardState
from storage.model.operator import Role
from storage.postgres.messages import cards
from storage.postgres.messages.cards import CardChange, ChangeAnswer, ChangeStamp
from tests.browser import Page, needs_chromium
from tests.builders import a_broadcast, a_notification, a_send, accept
from tests.ingest.console.pages import PASSWORD, add_operator
from tests.ingest.console.steps import (
    PEOPLE,
    SIGNED_IN,
    SIGNED_OUT,
    broadcast,
    find_button,
    press,
    sign_in,
    visit,
)

pytestmark = needs_chromium
TEXT = "document.querySelector('#page').innerText"


def sign_in_as(page: Page, name: str) -> None:
    """Sign out, and in again by name."""
    page.run("document.querySelector('#logout').click()")
    page.does(SIGNED_OUT)
    page.run(f"document.querySelector('#operator').value = '{name}'")
    sign_in(page, PASSWORD)
    page.does(SIGNED_IN)


def test_a_broadcast_has_a_page(page: Page, record: Engine) -> None:
    """A title leads to its broadcast's page, with what fails, a button to try it at once, and who has not read it, by pages."""
    id = broadcast(record, title="公告")
    visit(page, "broadcasts")
    link = f"document.querySelector('#page tr[data-id=\"{id}\"] a')"
    page.does(link)
    page.run(f"{link}.click()")
    page.does(f"document.querySelector('#page').dataset.page === 'broadcasts/{id}'")
    page.does("document.querySelector('#page .status')?.textContent === 'DONE'", seconds=60)
    page.does("document.querySelector('#page canvas')")
    with record.begin() as connection:
        connection.execute(
            text(
                "UPDATE broadcast_chunks SET error = 'no room', attempts = 3, "
                "lease_until = now() + interval '1 hour' WHERE broadcast_id = :id AND number = 1"
            ),
            {"id": id},
        )
        connection.execute(
            text("UPDATE broadcasts SET status = 'EXPANDING' WHERE id = :id"), {"id": id}
        )
    page.does(f"{TEXT}.includes('no room')")
    press(page, "Retry now")
    page.does("document.querySelector('#result').textContent.includes('is tried now')")
    people = "[...document.querySelectorAll('#page section table tbody tr')].at(-1).dataset.id"
    page.does(f"{people} === '50'")
    page.run("[...document.querySelectorAll('#page .pager a')].at(-1).click()")
    page.does(f"{people} === '100'")


def test_the_csv_of_a_broadcast_is_downloaded(page: Page, record: Engine, tmp_path: Path) -> None:
    """The link to the CSV downloads everybody who has not read the broadcast."""
    id = broadcast(record, title="公告")
    visit(page, f"broadcasts/{id}")
    page.does("document.querySelector('#page .status')?.textContent === 'DONE'", seconds=60)
    csv = page.wait_for(
        "fetch(document.querySelector('#page a[download]').href).then(answer => answer.text())"
    )
    assert len(csv.splitlines()) == len(PEOPLE) + 1


def test_a_message_is_looked_up(page: Page, record: Engine) -> None:
    """Looking up a message's id shows its way step by step, and what was written in it only in a dialog that asks before."""
    with record.begin() as connection:
        [id] = accept(connection, a_send(title="private title", content="<b>the secret</b>"))
    visit(page, "messages")
    page.run(f"document.querySelector('#q').value = '{id}'")
    page.run("document.querySelector('.search button').click()")
    page.does("document.querySelector('#page .status')?.textContent === 'DELIVERED'")
    page.does(
        "[...document.querySelectorAll('.way li.done')].map(one => one.firstChild.textContent)"
        ".join() === 'Accepted,In the histories,Published,Sockets'"
    )
    assert "private title" not in page.value("document.body.innerText")
    press(page, "Show what was written")
    page.does("document.querySelector('#shown pre')?.textContent === '<b>the secret</b>'")
    page.run("document.querySelector('#shown button').click()")
    page.does("!document.querySelector('#shown pre')")
    press(page, "Recall")
    page.does("document.querySelector('#page .status')?.textContent === 'RECALLED'")
    page.run("location.hash = '#/messages/12345'")
    page.does("document.querySelector('#page .error')?.textContent.includes('no such message')")


def test_a_card_shows_its_versions(page: Page, record: Engine) -> None:
    """A card's page has its state, its app's name for it, and a row for each version: who, when, in which request."""
    with record.begin() as connection:
        [id] = accept(
            connection,
            a_notification(1, app_id=1, sent_by_app_id=1, ref="leave-1", state=CardState.PENDING),
        )
        [found] = cards.find_own(connection, [id], 1)
        changed = found.message._replace(version=2, state=CardState.DONE)
        cards.change_all(
            connection,
            [CardChange(changed, changed.content)],
            ChangeStamp(
                ChangeAnswer(None, None, 1), None, changed_by="app:1", request_id="decided"
            ),
        )
    visit(page, f"messages/{id}")
    row = "[...document.querySelectorAll('#page tbody tr')].map(one => one.innerText).join()"
    for word in ("app:1", "decided", "2"):
        page.does(f"{row}.includes('{word}')")
    facts = page.value("document.querySelectorAll('#page .facts')[1].innerText")
    assert "DONE" in facts
    assert "leave-1" in facts


def test_what_a_request_sent_is_looked_up(page: Page, record: Engine) -> None:
    """Looking up a request's id lists what it sent, and each leads to its way; an unknown one says that there is nothing."""
    with record.begin() as connection:
        ids = accept(connection, a_send(), a_send())
        connection.execute(
            text("UPDATE accepted SET origin = 'shop/7' WHERE id = ANY(:ids)"), {"ids": ids}
        )
    visit(page, "messages?q=shop/7")
    page.does("document.querySelectorAll('#page tbody tr').length === 2")
    page.run("document.querySelector('#page tbody a').click()")
    page.does(f"document.querySelector('#page').dataset.page === 'messages/{ids[1]}'")
    page.does(f"{TEXT}.includes('shop/7')")
    visit(page, "messages?q=nobody's")
    page.does("document.querySelector('#page .nothing')")


def test_what_is_scheduled_is_taken_back(page: Page, record: Engine) -> None:
    """A scheduled notification is listed until it is cancelled there, and then it is recalled."""
    with record.begin() as connection:
        ahead = datetime.now(UTC) + timedelta(hours=1)
        [id] = accept(connection, a_notification(app_id=1, sent_by_app_id=1, send_at=ahead))
    visit(page, "scheduled")
    press(page, "Cancel", where=f'#page tr[data-id="{id}"]')
    page.does(f"!document.querySelector('#page tr[data-id=\"{id}\"]')")
    with record.begin() as connection:
        found = connection.execute(
            text("SELECT recalled_at IS NOT NULL FROM messages WHERE id = :id"), {"id": id}
        )
        assert found.scalar_one()


def test_a_pause_is_on_every_page_until_it_is_resumed(page: Page, record: Engine) -> None:
    """An app is paused with a reason; every page says so, its broadcast waits, and it goes on when it is resumed."""
    visit(page, "pauses")
    page.does("document.querySelector('.fields select')")
    page.run("document.querySelector('.fields select').value = 'app oa'")
    page.run("document.querySelector('.fields [name=reason]').value = 'an upgrade'")
    page.run("document.querySelector('.fields button').click()")
    page.does("document.querySelector('#ask').open")
    page.run("document.querySelector('#yes').click()")
    banner = "document.querySelector('#paused').innerText"
    page.does(f"{banner}.includes('Paused: app oa.') && {banner}.includes('an upgrade')")
    with record.begin() as connection:
        [id] = accept(connection, a_broadcast(app_id=1, sent_by_app_id=1, title="waits"))
    visit(page, "broadcasts")
    assert page.value(f"{banner}.includes('app oa')")
    row = f"document.querySelector('#page tr[data-id=\"{id}\"]')"
    page.does(f"{row}?.innerText.includes('held')")
    visit(page, "pauses")
    press(page, "Resume")
    page.does(f"{banner} === ''")
    visit(page, "broadcasts")
    page.does(f"{row}.querySelector('.status').textContent === 'DONE'", seconds=60)


def test_a_viewer_sees_why_buttons_are_off(page: Page, record: Engine) -> None:
    """For a viewer every button of an act is off and says why, and an act that is sent all the same is refused."""
    add_operator(record, "li.na", role=Role.VIEWER)
    id = broadcast(record, title="公告")
    sign_in_as(page, "li.na")
    visit(page, "broadcasts")
    recall = find_button("Recall", where=f'#page tr[data-id="{id}"]')
    page.does(recall)
    assert page.value(f"{recall}.disabled")
    assert "viewer" in page.value(f"{recall}.title")
    page.does("document.querySelector('#who').textContent === 'li.na (viewer)'")
    status = page.wait_for(
        f"fetch('api/broadcasts/{id}/recall', {{method: 'POST', headers: {{'X-Carillon-Console': '1'}}}})"
        ".then(answer => answer.status)"
    )
    assert status == 403


def test_an_operator_is_added_and_changes_their_password(page: Page) -> None:
    """An admin adds an operator, whose first password is shown once; with it they sign in and choose their own."""
    visit(page, "operators")
    page.does("document.querySelector('.fields [name=name]')")
    page.run("document.querySelector('.fields [name=name]').value = 'wang.lei'")
    page.run("document.querySelector('.fields select').value = 'operator'")
    page.run("document.querySelector('.fields button').click()")
    page.does("document.querySelector('#ask').open")
    page.run("document.querySelector('#yes').click()")
    page.does("document.querySelector('#shown').open")
    first = page.value("document.querySelector('#secret').textContent")
    page.run("document.querySelector('#shown button').click()")
    page.does("document.querySelector('#page tr[data-id=\"wang.lei\"]')")
    visit(page, "audit")
    page.does(f"{TEXT}.includes('operator.add')")
    page.run("document.querySelector('#logout').click()")
    page.does(SIGNED_OUT)
    page.run("document.querySelector('#operator').value = 'wang.lei'")
    sign_in(page, first)
    page.does(SIGNED_IN)
    visit(page, "account")
    page.does("document.querySelector('.fields [name=current]')")
    for name, value in (("current", first), ("password", PASSWORD), ("again", PASSWORD)):
        page.run(f"document.querySelector('.fields [name={name}]').value = {value!r}")
    page.run("document.querySelector('.fields button').click()")
    page.does(SIGNED_OUT)
    page.run("document.querySelector('#operator').value = 'wang.lei'")
    sign_in(page, PASSWORD)
    page.does(SIGNED_IN)
    page.does("document.querySelector('#who').textContent === 'wang.lei (operator)'")
