"""Where a browser goes to sign on to an app, with a fresh ticket (contract §4, §6)."""

from ingest.identity.lookups import Lookups
from storage.model.action_link import callback_link, is_allowed_target
from storage.model.caller import App
from storage.model.errors import NotFound, invalid
from storage.valkey.tickets import Tickets


async def open_app(lookups: Lookups, app_id: str) -> App:
    """The app of this string id, if it exists and is active; raises NotFound otherwise."""
    known = await lookups.apps.find(app_id)
    if known is None or not known.app.is_active:
        raise NotFound("There is no such app.")
    return known.app


async def callback_to(app: App, target_url: str, *, user_id: int, tickets: Tickets) -> str:
    """The app's callback with a new ticket for the person, going on to `target_url`.

    The target is judged now, not when the link was made: hosts may have been taken back since. Raises
    Invalid (no open redirect), TransientError.
    """
    if not is_allowed_target(
        target_url, callback_url=app.callback_url, redirect_hosts=app.redirect_hosts
    ):
        raise invalid("redirect_to", "Must be an http(s) URL on a host of the app.", where="query")
    ticket = await tickets.issue_sign_on(user_id, app_id=app.id)
    return callback_link(app.callback_url, ticket=ticket, next=target_url)
