"""`carillon demo --open`: a lively example in the inbox, which answers, until Ctrl-C.

Everything is sent over the public API. Only the people and the apps are made in the database, as `carillon user import` and
`carillon app add` do.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from carillon_client.transport import is_loopback
from ingest.inbox.demo_people import MEI
from ops.cli import read_environment
from ops.cli.demo.browser import open_address
from ops.cli.demo.cast import Cast, prepare
from ops.cli.demo.colleagues import Tell, start_colleagues, stop_colleagues
from ops.cli.demo.company import EVERYBODY, list_apps
from ops.cli.demo.demo_app import DemoApp, run_demo_app
from ops.cli.demo.filling import Filling
from ops.cli.identity.callers import issue_user_token
from ops.cli.servers import open_bus, open_database
from ops.cli.terminal.printing import say
from storage.model.errors import CallerError, TransientError
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load

_ASK_SECONDS = 10.0
_AN_HOUR = "good for an hour"


def open_inbox(url: str, *, most_people: int | None, wait: Callable[[], object]) -> None:
    """Fill the example, open the inbox at `url` as Mei, and answer her until `wait` returns.

    Everyone is sent a broadcast if they are at most `most_people`; None: nobody is. Raises CallerError where there is no
    inbox, TransientError, PermanentError.
    """
    has_sign_in = _find_sign_in(url)
    with run_demo_app(url) as demo_app:
        cast = _prepare(demo_app)
        _fill(cast, url, most_people=most_people)
        with _run_colleagues(url):
            _show(url, has_sign_in=has_sign_in)
            say(f"Buttons  lead to the demo's own app at {demo_app.address}")
            say(
                "Answers  come when you write to somebody. Ctrl-C ends them, and the app; what was sent stays."
            )
            wait()


def _find_sign_in(url: str) -> bool:
    """Whether the demo's people sign in there without a password. Raises CallerError if there is no inbox."""
    try:
        with httpx.Client(timeout=_ASK_SECONDS, trust_env=not is_loopback(url)) as http:
            config, page = http.get(f"{url}/inbox/config.json"), http.get(f"{url}/inbox")
    except httpx.HTTPError as error:
        raise TransientError(f"{url} does not answer ({type(error).__name__}).") from error
    if config.status_code == httpx.codes.NOT_FOUND:
        raise CallerError(f"There is no inbox at {url}: CARILLON_INBOX=on, as `make run` has it.")
    if not (config.is_success and page.is_success):
        code = page.status_code if config.is_success else config.status_code
        raise CallerError(f"The inbox at {url}/inbox cannot be shown ({code}): open it to see why.")
    return config.json()["demo_people"] is not None


def _prepare(demo_app: DemoApp) -> Cast:
    vault = Vault(load(VaultSettings, read_environment()))
    new = list_apps(demo_app.address)
    with open_database() as database, open_bus() as bus:
        cast = prepare(database, bus, vault=vault, people=EVERYBODY, new_apps=new)
    demo_app.apps = cast.apps
    return cast


def _fill(cast: Cast, url: str, *, most_people: int | None) -> None:
    with Filling(cast, url) as filling:
        say(f"People   {len(cast.people)}, of them {MEI.name} ({MEI.id}) at the inbox")
        is_new = filling.fill()
        say("Example  sent" if is_new else "Example  is there already; nothing is sent again")
        if most_people is None:
            return
        if cast.reach > most_people:
            say(
                f"Example  without its broadcast, which would reach {cast.reach:,} people; --yes sends it"
            )
            return
        filling.broadcast()


@contextmanager
def _run_colleagues(url: str) -> Iterator[None]:
    others = [(one.id, one.name) for one in EVERYBODY if one != MEI]
    colleagues = start_colleagues(others, url=url, tell=_tell_once())
    try:
        yield
    finally:
        stop_colleagues(colleagues)


def _tell_once() -> Tell:
    """Says a sentence, but not the same again: when the stack is away, it is away for everybody."""
    lock, last = threading.Lock(), [""]

    def tell(sentence: str) -> None:
        with lock:
            if sentence != last[0]:
                say(sentence, err=True)
            last[0] = sentence

    return tell


def _show(url: str, *, has_sign_in: bool) -> None:
    address = f"{url}/inbox/?demo={MEI.id}" if has_sign_in else f"{url}/inbox/"
    is_open = open_address(address)
    say(f"Inbox    {address}" + ("" if is_open else "  (no browser here: open it yourself)"))
    if not has_sign_in:
        say(f"         Here it asks for a token. This one is {MEI.name}'s, {_AN_HOUR}:")
        say(issue_user_token(MEI.id))
