"""The app centre (contract §6)."""

from ingest.http.endpoint import API, PEOPLE, endpoint
from ingest.http.response import Response
from ingest.models.requests import AppsWindow, Nothing
from ingest.models.responses import AppAnswer, AppsAnswer
from ingest.services import Context
from storage.model.caller import ADMIN, App, Mapping, UserCaller
from storage.postgres.people import apps
from storage.valkey.rate_limits import Quota

# The client document's launchpad has no paging: everything, with a bound against the absurd.
_LAUNCHPAD = 1000


@endpoint(
    "GET",
    f"{API}/simple/me/launchpad-apps",
    callers=PEOPLE,
    response=AppsAnswer,
    quota=Quota.PERSON_LISTS,
)
async def list_launchpad(context: Context[UserCaller, Nothing, Nothing]) -> Response:
    """The active apps in which the caller has an account."""
    me = context.caller.person.id
    database = context.services.database
    total, found = await database.query(apps.list_mapped, me, search="", skip=0, limit=_LAUNCHPAD)
    return Response(AppsAnswer(total, [_show_app(app, mapping) for app, mapping in found]))


@endpoint(
    "GET",
    f"{API}/apps/",
    callers=PEOPLE,
    params=AppsWindow,
    response=AppsAnswer,
    quota=Quota.PERSON_LISTS,
)
async def list_apps(context: Context[UserCaller, AppsWindow, Nothing]) -> Response:
    """Active apps with `search` in their name or id: an administrator's all, anyone else's own."""
    me, asked = context.caller.person, context.params
    question = apps.list_with_accounts if me.role == ADMIN else apps.list_mapped
    total, found = await context.services.database.query(
        question, me.id, search=asked.search, skip=asked.skip, limit=asked.limit
    )
    return Response(AppsAnswer(total, [_show_app(app, mapping) for app, mapping in found]))


ROUTES = (list_launchpad, list_apps)


def _show_app(app: App, mapping: Mapping | None) -> AppAnswer:
    return AppAnswer(
        app_name=app.name,
        app_id=app.app_id,
        protocol_type=app.protocol_type,
        mapped_key=None if mapping is None else mapping.app_user_id,
        mapped_email=None if mapping is None else mapping.email,
        is_active=app.is_active,
        description=app.description,
        category_id=app.category_id,
        category_name=app.category_name,
    )
