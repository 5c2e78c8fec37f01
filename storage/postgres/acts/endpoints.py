"""Acts upon apps' endpoints: call one again that is stopped or rests, tell it again what it had, try whether it answers."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.model.app_event import TEST_EVENT, AppCallback, CallbackStatus
from storage.model.caller import App
from storage.model.errors import invalid
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.acts import apps as app_acts
from storage.postgres.app_events import callbacks

# Without a lease: what a worker has in hand it may no longer mark, so that nothing moves what is set here.
_RESUME = """status = 'ACTIVE', attempts = 0, last_error = NULL, next_try_at = clock_timestamp(), lease_until = NULL"""
_RESUME_ONE = text(f"UPDATE app_callbacks SET {_RESUME} WHERE app_id = :id")  # noqa: S608 (a constant)
_GO_BACK = text(f"UPDATE app_callbacks SET {_RESUME}, taken_up_to = :seq - 1 WHERE app_id = :id")  # noqa: S608 (a constant)
_LOCK = text("SELECT FROM app_callbacks WHERE app_id = :id FOR UPDATE")
_COUNT = text("SELECT count(*) FROM app_events WHERE app_id = :id AND seq >= :seq")
_WRITE_TEST = text("""
INSERT INTO app_events (app_id, type, data) VALUES (:id, :type, '{}') RETURNING number
""")
_FIND_TEST = text("""
SELECT e.seq IS NOT NULL AND e.seq <= k.taken_up_to AS is_taken, k.last_error
  FROM app_callbacks k LEFT JOIN app_events e ON e.number = :number WHERE k.app_id = :id
""")


def resume(connection: Connection, actor: Actor, *, id: int) -> App:
    """Call the app's endpoint again, at once, whatever stopped it; what waits is told in its order. Safe to repeat.

    Raises NotFound if there is no such app, Invalid if it has no URL.
    """
    app, before = _find(connection, id)
    connection.execute(_RESUME_ONE, {"id": id})
    audit.record(
        connection,
        actor,
        act="callback.resume",
        target=f"app {app.app_id}",
        before={"status": before.status, "failures": before.attempts},
        after={"status": CallbackStatus.ACTIVE, "failures": 0},
    )
    return app


def replay(connection: Connection, actor: Actor, *, id: int, seq: int) -> int:
    """Tell the app again all from the number `seq` on that is still kept, each under its name; returns how many there are.

    An endpoint that is stopped is called again. Raises NotFound, and Invalid for a number that was not told yet.
    """
    app, before = _find(connection, id)
    if not 1 <= seq <= before.taken_up_to:
        raise invalid("from", f"App {app.app_id} was told numbers 1 to {before.taken_up_to}.")
    connection.execute(_GO_BACK, {"id": id, "seq": seq})
    count = int(connection.execute(_COUNT, {"id": id, "seq": seq}).scalar_one())
    audit.record(
        connection,
        actor,
        act="callback.replay",
        target=f"app {app.app_id}",
        before={"taken_up_to": before.taken_up_to},
        after={"taken_up_to": seq - 1, "events": count},
    )
    return count


def write_test(connection: Connection, actor: Actor, *, id: int) -> int:
    """Write an event of the type `callback.test` for the app: it is told in its turn. Returns its number in `app_events`.

    Raises NotFound, and Invalid if the endpoint is stopped.
    """
    app, before = _find(connection, id)
    if before.status is not CallbackStatus.ACTIVE:
        raise invalid("app", f"The endpoint of {app.app_id} is {before.status}: resume it first.")
    written = connection.execute(_WRITE_TEST, {"id": id, "type": TEST_EVENT}).scalar_one()
    audit.record(connection, actor, act="callback.test", target=f"app {app.app_id}")
    return int(written)


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """Whether the endpoint has taken the test, and what came of its last call if that failed."""

    is_taken: bool
    last_error: str | None


def find_test_outcome(connection: Connection, *, id: int, number: int) -> TestOutcome:
    """What has come of a test so far."""
    row = connection.execute(_FIND_TEST, {"id": id, "number": number}).one()
    return TestOutcome(bool(row.is_taken), row.last_error)


def _find(connection: Connection, id: int) -> tuple[App, AppCallback]:
    app = app_acts.find(connection, id)
    connection.execute(_LOCK, {"id": id})
    found = callbacks.find_callback(connection, id)
    if found is None or found.url is None:
        raise invalid("app", f"App {app.app_id} has no endpoint.")
    return app, found
