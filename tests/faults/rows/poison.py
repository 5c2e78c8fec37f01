"""Row 21: sends that cannot be persisted, planted in the intake."""

import contextlib
import threading
import time

import psutil

from ops.local.polling import wait_until
from storage.postgres.sends import failed_sends
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import p99
from tests.faults.rows.workers import await_progress, find_pool

KILLER = "kills its worker"

# No receiver: what a rule of ingest would never let through. And one that is still being inserted when
# its worker is killed; it never goes in by itself, so that a late kill changes nothing.
_PLANT = """
INSERT INTO accepted (id, sender_id, receiver_id, type, content_type, title, content)
VALUES (next_message_id(), :sender, CAST(:receiver AS bigint), 'MESSAGE', 'TEXT', :title, :title)
RETURNING id
"""
_TRIGGER = (
    """
CREATE FUNCTION faults_hang() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.title = 'kills its worker' THEN
    PERFORM pg_sleep(0.4);
    RAISE EXCEPTION 'nobody killed the worker';
  END IF;
  RETURN NEW;
END $$
""",
    "CREATE TRIGGER faults_hang BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION faults_hang()",
)
_NO_TRIGGER = ("DROP TRIGGER faults_hang ON messages", "DROP FUNCTION faults_hang()")
_HANGS = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep')"


def poison(environment: FaultEnvironment) -> Findings:
    """21: one that raises, one that kills: put aside after their attempts; the others go on."""
    attempts = environment.scale(short=4, full=5)
    environment.execute(*_TRIGGER)
    with environment.make_traffic(per_second=100) as traffic:
        await_progress(traffic)
        planted_at = time.monotonic()
        raising = _plant(environment, traffic.people, receiver=None, title="raises")
        assert _becomes_failed_send(environment, raising), "the one that raises is not put aside"
        raised_p99 = p99(traffic.measure_frame_seconds(since=planted_at))
        killing = _plant(environment, traffic.people, receiver=traffic.people[1], title=KILLER)
        kills = _kill_every_taker(environment, killing)
        await_progress(traffic)
    found = traffic.collect_findings(
        kills=kills,
        with_raising_p99_ms=round(raised_p99 * 1000),
        attempts=[_count_attempts(environment, raising), _count_attempts(environment, killing)],
    )
    found.must(
        raised_p99 < environment.relax(1),
        "the others' p99 is unchanged by the one that raises (< 1 s)",
    )
    found.must(found.figures["attempts"] == [attempts] * 2, f"{attempts} attempts each")
    found.must(kills >= 2, "it did kill")
    environment.execute(*_NO_TRIGGER)
    _replay(environment, found, [raising, killing], receiver=traffic.people[1])
    return found


def _plant(
    environment: FaultEnvironment, people: list[int], *, receiver: int | None, title: str
) -> int:
    return int(environment.query(_PLANT, sender=people[0], receiver=receiver, title=title))


def _becomes_failed_send(environment: FaultEnvironment, id: int) -> bool:
    return wait_until(lambda: _count_attempts(environment, id) > 0, seconds=40)


def _count_attempts(environment: FaultEnvironment, id: int) -> int:
    return int(
        environment.query("SELECT sum(attempts) FROM failed_sends WHERE id = :id", id=id) or 0
    )


def _kill_every_taker(environment: FaultEnvironment, id: int) -> int:
    """Kill the pool of the worker whenever it has the send in hand, until it is put aside."""
    kills, over = [0], threading.Event()

    def kill() -> None:
        while not over.is_set():
            if wait_until(lambda: over.is_set() or bool(environment.query(_HANGS)), seconds=1):
                kills[0] += not over.is_set()
                for process in find_pool(environment):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                wait_until(lambda: not environment.query(_HANGS), seconds=5)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        is_failed = _becomes_failed_send(environment, id)
    finally:
        over.set()
        killer.join()
    assert is_failed, "the one that kills is not put aside"
    return kills[0]


def _replay(
    environment: FaultEnvironment, found: Findings, ids: list[int], *, receiver: int
) -> None:
    """Put right what was wrong with them; a replay delivers them under their old ids."""
    environment.query(
        "UPDATE failed_sends SET payload = payload || jsonb_build_object('receiver_id', :receiver)"
        " WHERE id = ANY(:ids) RETURNING id",
        ids=ids,
        receiver=receiver,
    )
    with environment.engine.begin() as connection:
        failed_sends.replay(connection, ids)
    question = (
        "SELECT count(*) FROM deliveries WHERE message_id = ANY(:ids) AND user_id = :receiver"
    )
    found.must(
        wait_until(
            lambda: environment.query(question, ids=ids, receiver=receiver) == 2, seconds=20
        ),
        "a replay delivers both",
    )
