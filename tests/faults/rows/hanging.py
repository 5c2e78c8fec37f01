"""Row 39: an ingest process hangs in the middle of reads and recalls."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from ops.cli.up import is_stack_ready
from ops.local.child import Child
from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import p99
from tests.faults.rows.workers import await_progress

READERS = 12
# Of ingest, in the middle of a transaction, and nobody goes on with it.
_HELD = """
SELECT count(*) FROM pg_stat_activity
 WHERE application_name LIKE 'carillon ingest%' AND state LIKE 'idle in transaction%'
   AND state_change < clock_timestamp() - interval '0.3 s'
"""


def hang(environment: FaultEnvironment) -> Findings:
    """39: a second ingest process is frozen while it reads and recalls for the people of the load."""
    rounds, slowest, held = environment.scale(short=1, full=10), 0.0, 0
    with (
        environment.make_traffic(per_second=100, people=6) as traffic,
        _start_another_web(environment) as (url, second),
    ):
        for _ in range(rounds):
            with _run_readers(environment, url, traffic.people):
                await_progress(traffic)
                environment.pause(0.5, 0.9)
                second.freeze()
                began = max(sent.began_at for sent in traffic.ledger.sent)
                environment.pause(0.5)
                held = max(held, int(environment.query(_HELD)))
                environment.pause(environment.scale(short=1, full=15))
                await_progress(traffic, seconds=60)
                slowest = max(slowest, p99(traffic.measure_frame_seconds(since=began)))
                second.thaw()
    found = traffic.collect_findings(held=held, to_frame_p99_s=round(slowest, 2))
    # What was recalled on the way is not lost.
    found.failures = [one for one in found.failures if not one.endswith((" lost", " unseen"))]
    found.must(slowest < environment.relax(12), "others' accept to history p99 < 12 s")
    found.must(held == 0, "no lock is held between two of its round trips")
    return found


@contextmanager
def _start_another_web(environment: FaultEnvironment) -> Iterator[tuple[str, Child]]:
    """Run a second web process on a port of its own until the end of the block: its URL, and the process."""
    first = environment.stack.processes["web"].program
    port = str(find_free_port())
    command = [
        port if word == environment.stack.environ["CARILLON_PORT"] else word
        for word in first.command
    ]
    environ = dict(first.environ) | {"CARILLON_PORT": port}
    log = first.log.with_name("web2.log")
    second = Child(replace(first, name="web2", command=command, environ=environ, log=log))
    second.launch()
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: is_stack_ready(url), seconds=60), "the second web is not ready"
        yield url, second
    finally:
        second.kill()


@contextmanager
def _run_readers(environment: FaultEnvironment, url: str, people: list[int]) -> Iterator[None]:
    """Everyone reads everything over and over, and takes back what is newest, through `url`."""
    over = threading.Event()

    def go_on(number: int) -> None:
        person = people[number % len(people)]
        peer = people[(number + 1) % len(people)]
        headers = {"Authorization": f"Bearer {environment.client.token(person)}"}
        with httpx.Client(base_url=f"{url}/api/v1/messages", headers=headers, timeout=5) as client:
            while not over.is_set():
                with contextlib.suppress(httpx.HTTPError):
                    client.put("/read-all")
                    page = client.get(f"/history/{peer}?limit=1").json()
                    for message in page if number == 0 else ():
                        client.delete(f"/{message['id']}")

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
