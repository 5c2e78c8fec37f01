"""Finding people (contract §6)."""

from ingest.http.endpoint import API, PEOPLE, endpoint
from ingest.http.response import Response
from ingest.models.requests import Nothing, PeopleSearch, PeopleWindow
from ingest.models.responses import ListedPerson, PeopleAnswer, PersonAnswer
from ingest.services import Context
from storage.model.caller import Person, UserCaller
from storage.model.errors import invalid
from storage.postgres.people import directory
from storage.valkey.rate_limits import Quota


@endpoint(
    "GET",
    f"{API}/users/search",
    callers=PEOPLE,
    params=PeopleSearch,
    response=list[PersonAnswer],
    quota=Quota.PERSON_LISTS,
    takes_slot=False,
)
async def search_people(context: Context[UserCaller, PeopleSearch, Nothing]) -> Response:
    """Active people with `q` in their name, mobile or English name."""
    asked = context.params
    async with context.services.list_slots.take(context.caller) as database:
        found = await database.query(directory.search, asked.q, limit=asked.limit)
    return Response([PersonAnswer(p.id, p.mobile, p.name, p.english_name, p.status) for p in found])


@endpoint(
    "GET",
    f"{API}/users/",
    callers=PEOPLE,
    params=PeopleWindow,
    response=PeopleAnswer,
    quota=Quota.PERSON_LISTS,
    takes_slot=False,
)
async def list_people(context: Context[UserCaller, PeopleWindow, Nothing]) -> Response:
    """A page of everyone with `keyword` in their name, mobile or English name.

    With a keyword `total` is counted, and may be skipped, up to 100,000.
    """
    asked = context.params
    if asked.keyword and asked.skip > directory.COUNTED_AT_MOST:
        raise invalid(
            "skip", f"With a keyword it may be {directory.COUNTED_AT_MOST} at most", where="query"
        )
    async with context.services.list_slots.take(context.caller) as database:
        total, found = await database.query(
            directory.list_people, asked.keyword, skip=asked.skip, limit=asked.limit
        )
    return Response(PeopleAnswer(total, [_show_listed(person) for person in found]))


ROUTES = (search_people, list_people)


def _show_listed(person: Person) -> ListedPerson:
    return ListedPerson(
        person.id,
        person.mobile,
        person.name,
        person.english_name,
        person.status,
        person.role,
        int(person.is_deleted),
    )
