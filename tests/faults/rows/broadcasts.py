"""Rows 17 to 20, 40, 47: broadcasts against readers, repeats, kills, newcomers, one another, a lost table."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ops.local.polling import wait_until
from storage.broker.queues import BROADCASTS, EXPAND, QueueSettings, make_celery
from storage.model.errors import CarillonError
from storage.postgres.broadcasts import failures
from storage.postgres.messages import lookup
from storage.postgres.sends.backlog import measure_backlog
from storage.settings import load
from tests.faults.business import Business, add_business, check_counters, judge_broadcast
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.sockets import Log, Sockets
from workers.broadcasts.lane import run_lane
from workers.services import open_services

LANES = "worker-broadcasts"


def read_while_written(environment: FaultEnvironment) -> Findings:
    """17: people read all while chunks and sends move the same counters."""
    sender, seconds = add_business(environment), environment.scale(short=4, full=60)
    ids, reads, over = [], [0], threading.Event()
    with environment.make_traffic(per_second=300, connections=4, people=6) as traffic:
        readers = [
            threading.Thread(target=_read, args=(environment, traffic.people, over, reads, place))
            for place in range(2)
        ]
        for reader in readers:
            reader.start()
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                ids.append(sender.broadcast())
                environment.pause(0.2, 0.5)
        finally:
            over.set()
            for reader in readers:
                reader.join()
    reports = [sender.await_done(id, seconds=30) for id in ids]
    for person in traffic.people:  # so that of each broadcast something is read, whenever it came
        with environment.client.user(person) as client:
            assert client.put("/messages/read-all").status_code == 200
    found = traffic.collect_findings(broadcasts=len(ids), reads=reads[0])
    for id, report in zip(ids, reports, strict=True):
        judge_broadcast(found, environment, id, report)
    check_counters(found, environment)
    deadlocks = (
        environment.stack["postgres"].log.read_text(errors="replace").count("deadlock detected")
    )
    found.figures["deadlocks"] = deadlocks
    found.must(not deadlocks, "no deadlock")
    return found


def _read(
    environment: FaultEnvironment,
    people: list[int],
    over: threading.Event,
    reads: list[int],
    place: int,
) -> None:
    clients = [environment.client.user(person) for person in people]
    while not over.is_set():
        answer = clients[(reads[0] + place) % len(clients)].put("/messages/read-all")
        assert answer.status_code in {200, 503}
        reads[0] += 1
    for client in clients:
        client.close()


# One in twenty of the transactions that take a chunk further is given up, as by a conflict.
_ABORTS = (
    """
CREATE FUNCTION faults_abort() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.05 THEN
    RAISE EXCEPTION 'aborted by a test' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NEW;
END $$
""",
    """
CREATE TRIGGER faults_abort BEFORE UPDATE ON broadcast_chunks
FOR EACH ROW EXECUTE FUNCTION faults_abort()
""",
)
_NO_ABORTS = ("DROP TRIGGER faults_abort ON broadcast_chunks", "DROP FUNCTION faults_abort()")


def repeat_chunks(environment: FaultEnvironment) -> Findings:
    """18: three rings a chunk, lanes of ours beside the real ones, one in twenty aborted."""
    sender = add_business(environment)
    environment.stack.relaunch(LANES, CARILLON_CHUNK_SIZE="20", CARILLON_LEASE_SECONDS="2")
    people = environment.add_people(environment.scale(short=600, full=990))
    found, rings, accepted = Findings(), 0, 0
    environment.execute(*_ABORTS)
    for _ in range(environment.scale(short=1, full=10)):
        id = sender.broadcast(audience={"user_ids": people})
        rings += _add_lanes_and_rings(environment, id, chunks=len(people) // 20)
        report = sender.await_done(id, seconds=60)
        accepted += report["expanded"]
        judge_broadcast(found, environment, id, report)
    environment.execute(*_NO_ABORTS)
    check_counters(found, environment)
    found.figures = {"accepted": accepted, "rings": rings}
    environment.stack.relaunch(LANES, CARILLON_CHUNK_SIZE="5000", CARILLON_LEASE_SECONDS="30")
    return found


def _add_lanes_and_rings(environment: FaultEnvironment, id: int, *, chunks: int) -> int:
    """Three lanes of ours until the broadcast is over, and three rings a chunk; how many rings."""
    environ = environment.stack.environ | {
        "CARILLON_CHUNK_SIZE": "20",
        "CARILLON_LEASE_SECONDS": "2",
        "CARILLON_DRAIN_SECONDS": "0.1",
    }
    celery = make_celery(load(QueueSettings, environ))

    def lane(_place: int) -> None:
        services = open_services(environ)
        while not _is_over(environment, id):
            with contextlib.suppress(CarillonError):
                run_lane(services)
        services.database.close()
        services.doorbell.close()

    with ThreadPoolExecutor(3) as pool:
        lanes = [pool.submit(lane, place) for place in range(3)]
        for _ in range(3 * chunks):
            celery.send_task(EXPAND, queue=BROADCASTS)
        for done in lanes:
            done.result()
    celery.close()
    return 3 * chunks


def kill_lanes(environment: FaultEnvironment) -> Findings:
    """19: a broadcast to a million; the lanes are killed every two seconds."""
    sender, number = add_business(environment), environment.scale(short=60_000, full=1_000_000)
    _fill_up_people(environment, number)
    people = environment.query(
        "SELECT count(*) FROM users WHERE status = 'ACTIVE' AND NOT is_deleted"
    )
    began, kills = time.monotonic(), 0
    id = sender.broadcast()
    while not _is_over(environment, id) and time.monotonic() - began < 300:
        environment.pause(2.0)
        if not _is_over(environment, id):
            environment.stack.relaunch(LANES)
            kills += 1
            _await_chunk(environment, id)
    report = sender.get_report(id)
    attempts = environment.query(
        "SELECT sum(attempts)::float / count(*) FROM broadcast_chunks WHERE broadcast_id = :id",
        id=id,
    )
    figures = {
        "accepted": report["expanded"],
        "kills": kills,
        "seconds": round(time.monotonic() - began),
        "attempts/chunk": round(attempts, 3),
    }
    found = Findings(figures)
    judge_broadcast(found, environment, id, report)
    found.must(report["total"] == people, "everyone")
    found.must(attempts < 1.2, "fewer than 1.2 attempts a chunk")
    check_counters(found, environment)
    return found


def _fill_up_people(environment: FaultEnvironment, number: int) -> None:
    """At least `number` people."""
    environment.query(
        "INSERT INTO users (id, name, created_at)"
        " SELECT 500000000 + n, 'x', now() - interval '1 day' FROM generate_series(1, :n) n"
        " ON CONFLICT DO NOTHING RETURNING NULL",
        n=number,
    )


def _is_over(environment: FaultEnvironment, id: int) -> bool:
    question = "SELECT status IN ('DONE', 'FAILED') FROM broadcasts WHERE id = :id"
    return bool(environment.query(question, id=id))


def _await_chunk(environment: FaultEnvironment, id: int) -> None:
    """Wait until another chunk is done, so that every kill hits lanes at work."""
    question = (
        "SELECT count(*) FROM broadcast_chunks WHERE broadcast_id = :id AND state = 'published'"
    )
    before = environment.query(question, id=id)
    wait_until(
        lambda: environment.query(question, id=id) > before or _is_over(environment, id), seconds=60
    )


def change_people(environment: FaultEnvironment) -> Findings:
    """20: people come and go while a broadcast is on its way: the audience was frozen."""
    sender = add_business(environment)
    environment.stack.relaunch(LANES, CARILLON_CHUNK_SIZE="10", CARILLON_LEASE_SECONDS="2")
    found, people = Findings(), environment.add_people(environment.scale(short=600, full=900))
    accepted = 0
    for round_ in range(environment.scale(short=1, full=10)):
        id = sender.broadcast()
        newcomers = _change(environment, people[round_ * 20 : round_ * 20 + 20])
        report = sender.await_done(id, seconds=60)
        accepted += report["expanded"]
        judge_broadcast(found, environment, id, report)
        strangers = environment.query(
            "SELECT count(*) FROM deliveries WHERE message_id = :id AND user_id = ANY(:new)",
            id=id,
            new=newcomers,
        )
        found.must(not strangers, "no newcomer has it")
    check_counters(found, environment)
    found.figures = {"accepted": accepted}
    environment.stack.relaunch(LANES, CARILLON_CHUNK_SIZE="5000", CARILLON_LEASE_SECONDS="30")
    return found


def _change(environment: FaultEnvironment, leaving: list[int]) -> list[int]:
    """Twenty go, twenty come; who came."""
    newcomers = [person + 300_000_000 for person in leaving]
    for gone, new in zip(leaving, newcomers, strict=True):
        environment.query("UPDATE users SET is_deleted = true WHERE id = :id RETURNING id", id=gone)
        environment.query("INSERT INTO users (id, name) VALUES (:id, 'new') RETURNING id", id=new)
    return newcomers


def send_several_at_once(environment: FaultEnvironment) -> Findings:
    """40: four large broadcasts of one app and two of another at once: all end, in each app's order."""
    first, second = add_business(environment), add_business(environment)
    size = environment.scale(short=26_000, full=60_000)  # more than one slice of planning
    _fill_up_people(environment, size)
    found = Findings()
    # From all over the audience: different chunks, in different lanes' hands.
    listeners = [500_000_000 + number for number in range(1, size, size // 7)]
    sockets = Sockets(environment.stack.url, listeners, token=environment.client.token)
    with sockets:
        wait_until(lambda: all(log.is_connected for log in sockets.logs), seconds=30)
        people = _send_in_rounds(environment, found, (first, second), sockets)
    check_counters(found, environment)
    found.figures = {"accepted": people}
    return found


def _send_in_rounds(
    environment: FaultEnvironment,
    found: Findings,
    senders_of: tuple[Business, Business],
    sockets: Sockets,
) -> int:
    """Send, and judge what was planned, delivered and seen in which order; how many deliveries."""
    first, second = senders_of
    people = 0
    for _ in range(environment.scale(short=1, full=5)):
        with ThreadPoolExecutor(6) as pool:
            senders = [first, second, first, first, second, first]
            sent = [(one, pool.submit(one.broadcast)) for one in senders]
        for sender in (first, second):
            ids = sorted(done.result() for one, done in sent if one is sender)
            reports = [
                sender.await_done(id, seconds=environment.scale(short=20, full=60)) for id in ids
            ]
            for id, report in zip(ids, reports, strict=True):
                judge_broadcast(found, environment, id, report)
                people += report["expanded"]
            planned = (
                "SELECT array_agg(id ORDER BY planned_at) FROM broadcasts WHERE id = ANY(:ids)"
            )
            found.must(environment.query(planned, ids=ids) == ids, "planned in the app's order")
            _judge_order(found, sockets, ids)
    return people


def _judge_order(found: Findings, sockets: Sockets, ids: list[int]) -> None:
    """Every listener has seen `ids`, an app's broadcasts, once each and in this order."""
    for log in sockets.logs:
        wait_until(partial(_has_seen, log, ids), seconds=10)
        seen = [id for socket in log.sockets for id in socket if id in ids]
        found.must(seen == ids, f"in the app's order on the socket of {log.user_id} ({seen})")


def _has_seen(log: Log, ids: list[int]) -> bool:
    return set(ids) <= log.known


# Nothing may be given up, however often it has failed (versions before gave up after five times).
_FAILED_OFTEN = """
WITH failing AS (
  UPDATE broadcast_chunks SET attempts = 4, lease_until = clock_timestamp()
   WHERE broadcast_id = :id AND error IS NOT NULL RETURNING 1
)
SELECT count(*) FROM failing
"""


def lose_a_table(environment: FaultEnvironment) -> Findings:
    """47: a table is gone while a broadcast is on its way: it is told of, and ends exact all the same."""
    sender, seconds = add_business(environment), environment.scale(short=1, full=40)
    _fill_up_people(environment, environment.scale(short=10_000, full=60_000))
    found = Findings()
    # Persisting a send needs the table too: it is gone once the broadcast is the lanes' business.
    environment.stack[LANES].freeze()
    id = sender.broadcast()
    persisted = "SELECT count(*) FROM broadcasts WHERE id = :id"
    wait_until(lambda: bool(environment.query(persisted, id=id)), seconds=30)
    environment.execute("ALTER TABLE conversations RENAME TO conversations_gone")
    environment.stack[LANES].thaw()
    failing = "SELECT count(*) FROM broadcast_chunks WHERE broadcast_id = :id AND error IS NOT NULL"
    wait_until(lambda: bool(environment.query(failing, id=id)), seconds=30)
    environment.pause(seconds)
    environment.query(_FAILED_OFTEN, id=id)
    wait_until(lambda: bool(environment.query(f"{failing} AND attempts > 4", id=id)), seconds=10)
    seen = sender.get_report(id)
    with environment.engine.begin() as connection:
        told = failures.list_failing(connection, limit=10)
        parts = measure_backlog(connection).parts_failing
        status = lookup.find_message(connection, id)
    environment.execute("ALTER TABLE conversations_gone RENAME TO conversations")
    found.must(seen["status"] == "EXPANDING", f"EXPANDING meanwhile ({seen})")
    found.must(bool(seen["failed_chunks"] and seen["last_error"]), f"the report says so ({seen})")
    found.must(bool(told) and "conversations" in told[0].last_error, f"doctor says why ({told})")
    found.must(parts > 0, "the metric says so")
    found.must(status is not None and status.status == "ACCEPTED", f"ACCEPTED meanwhile ({status})")
    began = time.monotonic()
    report = sender.await_done(id, seconds=120)
    judge_broadcast(found, environment, id, report)
    check_counters(found, environment)
    healed = round(time.monotonic() - began)
    found.figures = {"accepted": report["expanded"], "failing parts": parts, "healed s": healed}
    return found
