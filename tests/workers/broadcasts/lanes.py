"""What tests of the broadcast lanes do to broadcasts, and what they look at."""

from typing import Any

from sqlalchemy import Engine, text

from storage.model.broadcast import BroadcastReport, BroadcastStatus
from storage.model.event import NewMessage
from storage.postgres.broadcasts import reports
from storage.postgres.messages import persistence
from tests.builders import a_broadcast, accept, add_people
from workers.broadcasts.lane import run_lane
from workers.services import Services

PEOPLE = range(1, 31)


def add_pending(engine: Engine, *sends: dict[str, Any], people: int = len(PEOPLE)) -> list[int]:
    """Persist a broadcast for each of `sends`, of app 7 unless changed, to `people` people; returns their ids."""
    with engine.begin() as connection:
        add_people(connection, range(1, people + 1))
        ids = accept(connection, *[a_broadcast(**changes) for changes in sends])
        persistence.persist(connection, ids)
    return ids


def of_app(id: int, **changes: Any) -> dict[str, Any]:
    """What makes a broadcast that of app `id`."""
    return {"sent_by_app_id": id, "app_id": id} | changes


def find_report(engine: Engine, id: int) -> BroadcastReport:
    """The report of a broadcast, as an operator gets it."""
    with engine.begin() as connection:
        found = reports.find_report(connection, id, app_id=None)
    assert found is not None
    return found


def find_status(engine: Engine, id: int) -> BroadcastStatus:
    """Where a broadcast stands."""
    return find_report(engine, id).status


def work_off(services: Services) -> None:
    """Run the lane again and again, as rings do, until there is nothing to do."""
    while run_lane(services):
        pass


def end_rests(engine: Engine) -> None:
    """Let every pause and every lease of a chunk be over."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE broadcast_chunks SET lease_until = now() - interval '1s'"))


def lengthen_rests(engine: Engine) -> None:
    """Let what rests after a failure rest for an hour more, so that a slow machine does not see it tried again."""
    with engine.begin() as connection:
        for table, column in (("broadcast_chunks", "lease_until"), ("broadcasts", "rest_until")):
            connection.execute(
                text(
                    f"UPDATE {table} SET {column} = {column} + interval '1 h' WHERE error IS NOT NULL"
                )
            )


def list_told(services: Services) -> list[tuple[int, str, int]]:
    """Everything on the bus, in order: person, kind of event, message id."""
    bus: Any = services.bus
    found = []
    for event in bus.events:
        id = event.message.id if isinstance(event, NewMessage) else event.message_id
        people = [user for _, users in event.recipients for user in users]
        found += [(user, type(event).__name__, id) for user in people]
    return found


def break_for(engine: Engine, table: str, *, when: str, how: str = "'no'") -> None:
    """Have every row raise that is put into `table`, or taken out of it, and meets `when`."""
    event = "DELETE" if "OLD" in when else "INSERT"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION {how}; END $$;
            CREATE TRIGGER refuse BEFORE {event} ON {table}
            FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()
        """)
