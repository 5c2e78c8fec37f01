"""People: found by id or by part of a name."""

from dataclasses import asdict
from typing import Any

from ingest.console.operations import SHOWN
from ingest.console.visit import Visit
from ingest.services import Services
from storage.model.caller import Person
from storage.postgres.messages import conversations
from storage.postgres.people import directory


async def find_people(visit: Visit) -> dict[str, Any]:
    """People by the id, or the part of a name or mobile, in `q`, after the first `skip`; `total` counts all that match.

    Nobody for an empty question.
    """
    services, question = visit.services, visit.read_text("q")
    if not question:
        return {"total": 0, "people": []}
    if question.isascii() and question.isdigit() and len(question) < len(str(2**63)):
        one = await services.database.query(directory.find, int(question))
        if one is not None:
            return {"total": 1, "people": [await _with_unread(services, one)]}
    total, found = await services.backends.shares.lists.query(
        directory.list_people, question, skip=visit.read_id("skip") or 0, limit=SHOWN
    )
    return {"total": total, "people": [_show_person(one) for one in found]}


async def _with_unread(services: Services, person: Person) -> dict[str, Any]:
    counts = await services.database.query(conversations.count_unread, person.id)
    return _show_person(person) | {"unread": counts.messages, "todo": counts.todos}


def _show_person(person: Person) -> dict[str, Any]:
    return asdict(person) | {"id": str(person.id), "is_active": person.is_active}
