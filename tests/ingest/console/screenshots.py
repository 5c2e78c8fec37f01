"""`make screenshots`: the pictures of the console in docs/images, taken anew in Chromium on a stack of its own.

It needs Chromium and a font with Chinese. Look at each picture before it is committed: the page must be live, and say
what docs/operations/console.md says of it.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from websockets.sync.client import connect

from ops.local.polling import wait_until
from storage.broker.doorbell import Doorbell
from storage.broker.queues import SENDS, QueueSettings
from storage.keys.tokens import TokenSettings, issue_token
from storage.keys.vault import Vault, VaultSettings
from storage.model.operator import Role
from storage.model.pause import PauseKind
from storage.postgres import pauses
from storage.postgres.database import make_blocking_engine
from storage.postgres.people import apps
from storage.postgres.people.apps import NewApp
from storage.postgres.people.people_import import NewPerson, import_people
from storage.settings import DatabaseSettings, load
from tests import services
from tests.architecture.sources import ROOT as REPOSITORY
from tests.browser import Page, chromium
from tests.builders import a_broadcast, a_notification, a_send, accept
from tests.ingest.console.pages import ROOT, add_operator
from tests.ingest.console.steps import PEOPLE, SIGNED_IN, SIGNED_OUT, bury, sign_in
from tests.ingest.console.steps import the_last_one_held_up as hold_up
from tests.services import Stack

FOLDER = REPOSITORY / "docs/images"
DESKTOP, PHONE = (1200, 800), (390, 800)
WATCHED_SECONDS = 45  # so long the plots are filled
SOCKETS = 30
_FAMILIES, _GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊洋艳"


def main() -> None:
    """Take every picture."""
    with (
        services.stack(CARILLON_CHUNK_SIZE="200") as stack,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        record = make_blocking_engine(
            load(DatabaseSettings, stack.environ), application_name="screenshots"
        )
        message = fill(record, stack)
        with chromium(Path(folder)) as page, keep_busy(record, stack):
            page.resize(*DESKTOP)
            page.go(f"{stack.url}/console")
            page.does(SIGNED_OUT)
            sign_in(page, stack.environ["CARILLON_CONSOLE_TOKEN"])
            page.does(SIGNED_IN)
            take_all(page, record, message=message)
        record.dispose()


def fill(record: Engine, stack: Stack) -> int:
    """People, apps, operators, and something on every page; the id of a message."""
    with record.begin() as connection:
        import_people(connection, (make_person(number) for number in PEOPLE))
        vault = Vault(load(VaultSettings, stack.environ))
        for app_id, name in (("oa", "OA系统"), ("hr", "人事系统"), ("shop", "Shop")):
            callback = f"https://{app_id}.example.com/callback"
            apps.add(connection, NewApp(app_id, name, callback, ()), vault=vault)
    add_operator(record, "wang.lei")
    add_operator(record, "li.na", role=Role.VIEWER)
    ahead = datetime.now(UTC) + timedelta(hours=2)
    hr = {"app_id": 2, "sent_by_app_id": 2, "app_name": "人事系统"}
    with record.begin() as connection:
        _, message, *_ = accept(
            connection,
            a_broadcast(title="国庆放假通知", **hr),
            a_notification(title="审批通知", app_id=1, sent_by_app_id=1),
            a_notification(title="周报提醒", send_at=ahead, app_id=1, sent_by_app_id=1),
            a_broadcast(title="年会报名", send_at=ahead + timedelta(days=1), **hr),
        )
        connection.execute(
            text("UPDATE accepted SET origin = 'shop/7f3a91c2' WHERE id = :id"), {"id": message}
        )
    bury(record, title="工资单", **hr)
    return message


def make_person(number: int) -> NewPerson:
    """One of many, with a name of two characters."""
    name = _FAMILIES[number % 10] + _GIVEN[number // 10 % 10]
    return NewPerson(number, f"138{number:08}", name, "", "ACTIVE", "ORDINARY_USER")


@contextmanager
def keep_busy(record: Engine, stack: Stack) -> Iterator[None]:
    """People are connected and send messages, until the end of the block."""
    is_over = threading.Event()

    def send() -> None:
        doorbell = Doorbell(load(QueueSettings, stack.environ))
        while not is_over.wait(0.1):
            with record.begin() as connection:
                accept(connection, *[a_send(receiver_id=1 + n % SOCKETS) for n in range(9)])
            doorbell.ring(SENDS)
        doorbell.close()

    with ExitStack() as clients:
        for user_id in range(1, SOCKETS + 1):
            token = issue_token(
                load(TokenSettings, stack.environ), user_id, ttl_seconds=3600, now=time.time()
            )
            socket = clients.enter_context(
                connect(f"{stack.socket_url}?token={token}", max_queue=None)
            )
            threading.Thread(target=lambda one=socket: list(one), daemon=True).start()
        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            is_over.set()
            sender.join()


def take_all(page: Page, record: Engine, *, message: int) -> None:
    """Every picture, at a moment at which there is something to be seen."""
    began = time.monotonic()
    assert wait_until(lambda: time.monotonic() - began > WATCHED_SECONDS, seconds=60)
    with hold_up(record):
        with record.begin() as connection:
            [running] = accept(
                connection, a_broadcast(app_id=1, sent_by_app_id=1, title="系统公告")
            )
        take(
            page,
            "console-broadcast",
            at=f"broadcasts/{running}",
            ready="document.querySelector('#page progress')?.value > 8000",
        )
        take(page, "console", at="overview")
        take(page, "console-phone", at="broadcasts", size=PHONE)
        page.prefer(scheme="dark")
        take(page, "console-dark", at="overview")
        choose_language(page, "zh")
        take(page, "console-chinese", at="broadcasts")
        page.prefer(scheme="light")
        take(page, "console-chinese-phone", at="overview", size=PHONE)
        choose_language(page, "en")
    take(
        page,
        "console-message",
        at=f"messages?q={message}",
        ready="document.querySelectorAll('.way .done').length === 4",
    )
    with record.begin() as connection:
        pauses.pause(
            connection, PauseKind.APP, "shop", reason="the shop sends everything twice", until=None, actor=ROOT
        )  # fmt: skip
    take(page, "console-pauses", at="pauses", ready="document.querySelector('#paused').innerText")
    take(page, "console-audit", at="audit")


def choose_language(page: Page, language: str) -> None:
    """Press the switch in the header."""
    page.run(f"document.querySelector('#console [data-language={language}]').click()")
    page.does(f"document.documentElement.lang === '{language}'")


def take(
    page: Page, name: str, *, at: str, size: tuple[int, int] = DESKTOP, ready: str = "true"
) -> None:
    """Take one picture of the page at this address, when it is live and `ready` is true."""
    page.run(f"location.hash = '#/{at}'")
    page.resize(*size)
    page.does(f"document.querySelector('#page').dataset.page === '{at.split('?', maxsplit=1)[0]}'")
    page.does("document.querySelector('#state').className === 'live'")
    page.does("!document.querySelector('#page').innerText.match(/Loading|加载/)")
    page.does(ready)
    width, height = size
    page.picture(FOLDER / f"{name}.png", width=width, height=height)


if __name__ == "__main__":
    main()
