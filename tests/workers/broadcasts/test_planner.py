"""Planning that fails: that broadcast rests, and everything else goes on."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from storage.model.errors import TransientError
from storage.postgres.broadcasts import expansion
from tests.workers.broadcasts.lanes import add_pending, lengthen_rests, of_app, work_off
from workers.broadcasts.lane import run_lane
from workers.services import Services

# Chunks of the broadcasts of app 7 cannot be written, or not in time.
BREAK = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.app_id = 7 THEN
    {what};
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON broadcast_chunks FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def list_statuses(engine: Engine) -> list[tuple[str, str | None]]:
    """Status and error of every broadcast, by id."""
    with engine.begin() as connection:
        found = connection.execute(text("SELECT status, error FROM broadcasts ORDER BY id"))
        return [(row.status, row.error) for row in found]


def test_what_cannot_be_planned_holds_up_no_other_app(services: Services, engine: Engine) -> None:
    """App 8's broadcast is DONE while app 7's cannot be planned; once that is mended, app 7's is DONE too."""
    add_pending(engine, of_app(7), of_app(8))
    with engine.begin() as connection:
        connection.exec_driver_sql(BREAK.format(what="RAISE EXCEPTION 'no room'"))
    small = replace(services, settings=replace(services.settings, chunk_size=10))
    work_off(small)
    assert list_statuses(engine) == [("PENDING", "no room"), ("DONE", None)]
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER refuse ON broadcast_chunks"))
        connection.execute(text("UPDATE broadcasts SET rest_until = now()"))
    work_off(small)
    assert list_statuses(engine) == [("DONE", None), ("DONE", None)]


def test_what_takes_too_long_to_plan_is_not_tried_first_for_ever(
    services: Services, engine: Engine
) -> None:
    """A broadcast whose planning PostgreSQL ended for its time rests; the next ring plans the others."""
    add_pending(engine, of_app(7), of_app(8))
    late = "RAISE EXCEPTION 'too late' USING ERRCODE = 'query_canceled'"
    with engine.begin() as connection:
        connection.exec_driver_sql(BREAK.format(what=late))
    with pytest.raises(TransientError):
        run_lane(services)
    lengthen_rests(engine)
    work_off(services)
    assert [status for status, _ in list_statuses(engine)] == ["PENDING", "DONE"]


def test_an_error_that_nobody_expected_is_the_broadcasts_own(
    services: Services, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error while one broadcast is planned stops no other; only the kind of error is kept, not its text."""
    bad, _good = add_pending(engine, of_app(7), of_app(8))
    real: Any = expansion.close_if_done

    def raise_for_bad(connection: Any, broadcast_id: int) -> None:
        if broadcast_id == bad:
            raise RuntimeError("may hold what people wrote")
        real(connection, broadcast_id)

    monkeypatch.setattr("storage.postgres.broadcasts.planning.close_if_done", raise_for_bad)
    work_off(services)
    assert list_statuses(engine) == [("PENDING", "RuntimeError."), ("DONE", None)]
