"""Row 38: RabbitMQ as the broker; the rows about workers, queue and poison once more."""

import os
from collections.abc import Callable

from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.rows import poison, valkey, workers

URL = os.environ.get("CARILLON_TEST_AMQP_URL", "")
SETTINGS = {"CARILLON_BROKER_URL": URL} if URL else {}
AGAIN: tuple[tuple[int, Callable[[FaultEnvironment], Findings]], ...] = (
    (4, workers.kill_main),
    (6, workers.freeze_and_kill_idle),
    (8, valkey.kill),
    (21, poison.poison),
)


def again(environment: FaultEnvironment) -> Findings:
    """38: rows 4, 6, 8 and 21 with RabbitMQ ringing (Valkey is only the bus then)."""
    if not URL:
        return Findings({"skipped": "CARILLON_TEST_AMQP_URL is not set"})
    together = Findings({"accepted": 0})
    for number, row in AGAIN:
        found = row(environment)
        together.failures += [f"row {number}: {failure}" for failure in found.failures]
        together.figures["accepted"] += found.figures.get("accepted", 0)
        together.figures[f"row {number}"] = found.figures.get("to frame p99 ms", "ok")
        environment.stack.start()
    return together
