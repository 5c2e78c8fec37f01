"""Where a browser goes to sign on to an app, with a fresh ticket (contract §4, §6)."""

from ingest.identity.lookups import Lookups
from storage.model.action_link import build_callback_link, is_allowed_target
from storage.model.caller import App
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, invalid
from storage.valkey.tickets import Tickets


async def find_active_app(lookups: Lookups, app_id: str) -> App:
    """The app of this string id. Raises NotFound if there is none or it is not active, or TransientError."""
    known = await lookups.apps.find(app_id)
    if known is None or not known.app.is_active:
        raise NotFound("There is no such app.", code=ErrorCode.UNKNOWN_APP)
    return known.app


async def issue_callback_url(app: App, target_url: str, *, user_id: int, tickets: Tickets) -> str:
    """The app's callback URL, with a new ticket for the person and `target_url` to go on to.

    The target is checked now, not only when the link was made: its host may have been removed from the app since.
    Raises Invalid for a host that is not the app's (no open redirect), or TransientError.
    """
    if not is_allowed_target(
        target_url, callback_url=app.callback_url, redirect_hosts=app.redirect_hosts
    ):
        raise invalid(
            "redirect_to",
            "Must be an http(s) URL on a host of the app.",
            where="query",
            code=ErrorCode.HOST_NOT_ALLOWED,
        )
    ticket = await tickets.issue_sign_on(user_id, app_id=app.id)
    return build_callback_link(app.callback_url, ticket=ticket, next=target_url)
