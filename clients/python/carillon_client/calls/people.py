"""People, the apps they have accounts in, and signing on."""

from carillon_client.errors import InvalidError, NotFoundError
from carillon_client.exchange import Call, Request, call_json, make_post
from carillon_client.results import AppAccount, Person, VerifiedPerson
from carillon_client.retries import Retries


def search_people(q: str, retries: Retries, *, limit: int) -> Call[list[Person]]:
    """Active people with `q` in their name, mobile or English name."""
    request = Request("GET", "/users/search", {"q": q, "limit": limit})
    return [Person.from_json(one) for one in (yield from call_json(request, retries))]


def list_launchpad_apps(retries: Retries) -> Call[list[AppAccount]]:
    """The apps in which the person has an account."""
    answer = yield from call_json(Request("GET", "/simple/me/launchpad-apps"), retries)
    return [AppAccount.from_json(one) for one in answer["items"]]


def get_callback_url(message_id: int, retries: Retries) -> Call[str]:
    """Where a message's button leads, with a new ticket."""
    request = Request("GET", f"/messages/{message_id:d}/callback-url")
    return str((yield from call_json(request, retries))["callback_url"])


def sign_on(app_id: str, retries: Retries) -> Call[str]:
    """Where to go to be signed on to an app, with a new ticket."""
    request = make_post("/simple/sso-login", {"app_id": app_id, "username": "", "password": ""})
    return str((yield from call_json(request, retries))["redirect_url"])


def verify_ticket(ticket: str, retries: Retries) -> Call[VerifiedPerson]:
    """Exchange a ticket for the person whose it is. It is not sent again if it may have arrived: a ticket works once.

    Raises NotFoundError for one that is not worth anything, also if it has not even the form of a ticket.
    """
    request = make_post("/simple/sso/verify", {"ticket": ticket})
    try:
        return VerifiedPerson.from_json((yield from call_json(request, retries)))
    except InvalidError as error:
        raise NotFoundError(
            error.detail,
            status=error.status,
            code=error.code,
            request_id=error.request_id,
            fields=error.fields,
        ) from error
