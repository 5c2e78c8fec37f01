"""Acts upon people and their accounts: let in and out, and import. Names and mobiles are not written down."""

from collections.abc import Iterable

from sqlalchemy import Connection

from storage.model.caller import ACTIVE, App, Person
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.people import directory, mappings_import, people_import
from storage.postgres.people.mappings_import import ImportedMappings, NewMapping
from storage.postgres.people.people_import import Imported, NewPerson


def set_status(connection: Connection, actor: Actor, *, id: int, status: str) -> Person:
    """Give a person this status. Gateways are not told: the caller does that after the commit. Raises NotFound."""
    before = directory.find(connection, id)
    after = directory.set_status(connection, id, status=status)
    if before is None or after is None:
        raise NotFound(f"There is no user {id}.", code=ErrorCode.UNKNOWN_PERSON)
    audit.record(
        connection,
        actor,
        act="user.enable" if status == ACTIVE else "user.disable",
        target=f"user {id}",
        before={"status": before.status},
        after={"status": after.status},
    )
    return after


def import_people(connection: Connection, actor: Actor, *, people: Iterable[NewPerson]) -> Imported:
    """Add people or bring them up to date, as `people_import.import_people` says: all or nothing."""
    done = people_import.import_people(connection, people)
    audit.record(
        connection,
        actor,
        act="user.import",
        target="users",
        after={
            "added": done.added,
            "changed": done.changed,
            "shut_out": done.changes.shut_out,
            "let_in": done.changes.let_in,
            "roles": done.changes.roles,
        },
    )
    return done


def import_mappings(
    connection: Connection, actor: Actor, *, app: App, mappings: Iterable[NewMapping]
) -> ImportedMappings:
    """Add accounts of an app or bring them up to date, as `mappings_import.import_mappings` says: all or nothing."""
    done = mappings_import.import_mappings(connection, app.id, mappings=mappings)
    audit.record(
        connection,
        actor,
        act="mapping.import",
        target=f"app {app.app_id}",
        after={"added": done.added, "changed": done.changed},
    )
    return done
