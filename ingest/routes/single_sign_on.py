"""Single sign-on: tickets that an app exchanges for the person who came with them (contract §6)."""

from ingest.http.endpoint import API, APPS, PEOPLE, HeaderNote, endpoint
from ingest.http.response import Response
from ingest.http.strictness import make_ignored
from ingest.identity.single_sign_on import find_active_app, issue_callback_url
from ingest.models.requests import JumpParameters, LoginBody, Nothing, VerifyBody
from ingest.models.responses import RedirectUrl, SignedOn
from ingest.services import Context
from storage.model.action_link import JUMP_PATH, build_callback_link
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import FieldProblem, NotAllowed, NotFound
from storage.postgres.people import apps


def _find_ignored(body: LoginBody, _caller: Caller) -> list[FieldProblem]:
    given = {"username": body.username, "password": body.password}
    return [
        make_ignored(name, "Is not looked at: the token says who signs on")
        for name, value in given.items()
        if value
    ]


@endpoint(
    "POST",
    f"{API}/simple/sso-login",
    callers=PEOPLE,
    body=LoginBody,
    find_ignored=_find_ignored,
    response=RedirectUrl,
    errors=(NotAllowed, NotFound),
)
async def sign_on(context: Context[UserCaller, Nothing, LoginBody]) -> Response:
    """Open an app from the launchpad: its callback with a ticket."""
    services, me = context.services, context.caller.person.id
    app = await find_active_app(services.lookups, context.body.app_id)
    if await services.database.query(apps.find_mapping, app.id, user_id=me) is None:
        raise NotAllowed("You have no account in this app.", code=ErrorCode.NO_ACCOUNT)
    ticket = await services.backends.tickets.issue_sign_on(me, app_id=app.id)
    return Response(RedirectUrl(build_callback_link(app.callback_url, ticket=ticket)))


@endpoint(
    "GET",
    JUMP_PATH,
    callers=PEOPLE,
    params=JumpParameters,
    status=302,
    errors=(NotFound,),
    response_headers=(
        HeaderNote("Location", "The app's callback with a ticket, going on to the target."),
    ),
)
async def jump(context: Context[UserCaller, JumpParameters, Nothing]) -> Response:
    """Follow a button: to the app's callback with a ticket, and on to the target."""
    services, asked = context.services, context.params
    app = await find_active_app(services.lookups, asked.app_id)
    me, tickets = context.caller.person.id, services.backends.tickets
    url = await issue_callback_url(app, asked.redirect_to, user_id=me, tickets=tickets)
    return Response(status=302, headers=[("Location", url)])


@endpoint(
    "POST",
    f"{API}/simple/sso/verify",
    callers=APPS,
    body=VerifyBody,
    response=SignedOn,
    errors=(NotFound,),
)
async def verify_ticket(context: Context[AppCaller, Nothing, VerifyBody]) -> Response:
    """Exchange a ticket of the calling app for who came with it: once, within a minute."""
    services, app = context.services, context.caller.app
    user_id = await services.backends.tickets.redeem_sign_on(context.body.ticket, app_id=app.id)
    person = None if user_id is None else await services.lookups.people.find(user_id)
    if person is None or not person.is_active:
        raise NotFound("There is no such ticket.", code=ErrorCode.UNKNOWN_TICKET)
    account = await services.database.query(apps.find_mapping, app.id, user_id=person.id)
    name, email = (account.app_user_id, account.email) if account else (None, None)
    return Response(SignedOn(person.id, name, email, person.name))


ROUTES = (sign_on, jump, verify_ticket)
