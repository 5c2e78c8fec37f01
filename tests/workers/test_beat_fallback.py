"""The fallback for beat: a worker does what beat has not asked for in time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from ops.local.child import Child
from ops.local.polling import wait_until
from ops.local.stack import prepare_environment, prepare_programs
from storage.postgres import periodic_jobs
from tests.builders import a_send, accept
from workers import beat_fallback, sweep
from workers.services import Services

SECOND = timedelta(seconds=1)


def test_a_turn_is_taken_when_it_is_late_and_by_one_only(engine: Engine) -> None:
    """A turn is nobody's before it is late, then one caller's, and nobody else's within `every`."""
    with engine.begin() as connection:
        assert not periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND
        )
        assert not periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND
        )
        connection.execute(text("UPDATE turns SET on_time_at = on_time_at - interval '61 s'"))
        assert not periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND * 60
        )
        connection.execute(text("UPDATE turns SET taken_at = taken_at - interval '61 s'"))
        assert periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND * 60
        )
        assert not periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND * 60
        )
        periodic_jobs.record_start(connection, periodic_jobs.SWEEP)
        seen = periodic_jobs.find_last_start(connection, periodic_jobs.SWEEP)
    assert seen is not None and seen.on_time_seconds < 60


def test_an_instant_in_the_future_is_late(engine: Engine) -> None:
    """PostgreSQL's clock was set back: what was noted before says nothing."""
    with engine.begin() as connection:
        periodic_jobs.record_start(connection, periodic_jobs.SWEEP)
        connection.execute(
            text(
                "UPDATE turns SET on_time_at = on_time_at + interval '1 h', taken_at = on_time_at + interval '1 h'"
            )
        )
        assert periodic_jobs.take_over(
            connection, periodic_jobs.SWEEP, late=SECOND * 60, every=SECOND
        )


def test_a_worker_sweeps_only_while_beat_does_not(services: Services, engine: Engine) -> None:
    """A worker leaves the sweep to beat while beat is on time; when it is late the worker sweeps."""
    with engine.begin() as connection:
        accept(connection, a_send())
    eager = replace(services, settings=replace(services.settings, sweep_grace=timedelta(0)))
    assert sweep.sweep_on_time(eager) == ["sends"]
    assert beat_fallback.do_late_duties(eager) == []
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE turns SET on_time_at = now() - interval '4 s', taken_at = now() - interval '4 s'"
            )
        )
    assert beat_fallback.do_late_duties(eager) == [periodic_jobs.SWEEP]
    value = services.metrics.registry.get_sample_value
    assert value("carillon_late_duties_total", {"duty": "sweep"}) == 1


@pytest.fixture
def lone_worker(environ: Mapping[str, str]) -> Iterator[Child]:
    """A sends worker without beat, without an upkeep worker."""
    given = prepare_environment({**environ, "CARILLON_SWEEP_LATE_SECONDS": "1"})
    [program] = [one for one in prepare_programs(given) if one.name == "worker-sends"]
    child = Child(program)
    child.launch()
    yield child
    child.kill()


@pytest.mark.usefixtures("lone_worker")
def test_scheduled_sends_go_without_beat(engine: Engine) -> None:
    """A scheduled send is delivered without beat and without an upkeep worker: any worker sweeps by itself (fault row 45)."""
    with engine.begin() as connection:
        [id] = accept(connection, a_send(send_at=datetime.now(UTC) + SECOND))
    assert wait_until(lambda: is_delivered(engine, id), seconds=30)


def is_delivered(engine: Engine, id: int) -> bool:
    """Whether it is in the histories."""
    with engine.begin() as connection:
        question = text("SELECT EXISTS (SELECT 1 FROM messages WHERE id = :id)")
        return bool(connection.execute(question, {"id": id}).scalar_one())
