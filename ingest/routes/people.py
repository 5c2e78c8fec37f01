"""Finding people (contract §6)."""

from ingest.answer import Answer
from ingest.endpoint import API, PEOPLE, Call, endpoint
from ingest.wire import Nothing, PeopleSearch, PeopleWindow
from ingest.wire_answers import ListedPerson, PeopleAnswer, PersonAnswer
from storage import people
from storage.model.caller import Person, UserCaller


@endpoint(
    "GET", f"{API}/users/search", callers=PEOPLE, params=PeopleSearch, answer=list[PersonAnswer]
)
async def search_people(call: Call[UserCaller, PeopleSearch, Nothing]) -> Answer:
    """Active people with `q` in their name, mobile or English name."""
    asked = call.params
    found = await call.services.database.ask(people.search, asked.q, limit=asked.limit)
    return Answer([PersonAnswer(p.id, p.mobile, p.name, p.english_name, p.status) for p in found])


@endpoint("GET", f"{API}/users/", callers=PEOPLE, params=PeopleWindow, answer=PeopleAnswer)
async def list_people(call: Call[UserCaller, PeopleWindow, Nothing]) -> Answer:
    """A page of everyone with `keyword` in their name, mobile or English name."""
    asked = call.params
    total, found = await call.services.database.ask(
        people.listing, asked.keyword, skip=asked.skip, limit=asked.limit
    )
    return Answer(PeopleAnswer(total, [_listed(person) for person in found]))


ROUTES = (search_people, list_people)


def _listed(person: Person) -> ListedPerson:
    return ListedPerson(
        person.id,
        person.mobile,
        person.name,
        person.english_name,
        person.status,
        person.role,
        int(person.is_deleted),
    )
