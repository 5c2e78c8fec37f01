"""The rows of the fault matrix, by number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.rows import (
    backlog,
    bodies,
    broadcasts,
    clocks,
    conformance,
    disk,
    hanging,
    ingest,
    odd_events,
    pauses,
    poison,
    postgres,
    push,
    rabbitmq,
    readers,
    recalls,
    schedule,
    secrecy,
    valkey,
    workers,
)
from tests.faults.rows.apps import callbacks, cards


@dataclass(frozen=True, slots=True)
class Row:
    """One row of docs/faults.md. With `settings` it runs on a stack of its own that has them.

    `short_settings` come on top when it runs short; `is_marked` rows run in the test suite.
    """

    number: int
    title: str
    run: Callable[[FaultEnvironment], Findings]
    is_marked: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    short_settings: Mapping[str, str] = field(default_factory=dict)


ROWS = (
    Row(0, "control: no sweep and no rings, losses are seen", workers.control, is_marked=True),
    Row(1, "ingest killed mid-batch", ingest.kill_web, is_marked=True),
    Row(2, "answers lost after commit", ingest.lose_answers),
    Row(3, "one key 50 times at once", ingest.same_key_at_once, is_marked=True),
    Row(4, "worker main killed", workers.kill_main, is_marked=True),
    Row(5, "worker pool child killed", workers.kill_child),
    Row(6, "idle worker frozen, then killed", workers.freeze_and_kill_idle, is_marked=True),
    Row(7, "SIGTERM to workers under load", workers.terminate),
    Row(8, "Valkey killed and restarted", valkey.kill, is_marked=True),
    Row(9, "Valkey frozen", valkey.freeze),
    Row(10, "Valkey wiped", valkey.wipe, is_marked=True),
    Row(
        11,
        "Valkey at its memory limit",
        valkey.fill,
        settings={"CARILLON_VALKEY_MAX_MEMORY": "12mb"},
    ),
    Row(12, "every ring of ingest dropped", workers.drop_rings, is_marked=True),
    Row(13, "a PostgreSQL backend killed", postgres.kill_backend),
    Row(14, "PostgreSQL killed and restarted", postgres.kill, is_marked=True),
    Row(15, "PostgreSQL frozen", postgres.freeze),
    Row(16, "disk full", disk.fill),
    Row(17, "read-all against chunks and sends", broadcasts.read_while_written, is_marked=True),
    Row(18, "every chunk three times, 5 % aborted", broadcasts.repeat_chunks, is_marked=True),
    Row(
        19,
        "broadcast to 1,000,000, lanes killed",
        broadcasts.kill_lanes,
        settings={"CARILLON_LEASE_SECONDS": "5"},
    ),
    Row(20, "people come and go during a broadcast", broadcasts.change_people),
    Row(21, "poison: one raises, one kills", poison.poison, is_marked=True),
    Row(
        22,
        "backlog of 200,000",
        backlog.pile_up,
        settings={"CARILLON_ACCEPTED_CAP": "200000"},
        short_settings={"CARILLON_ACCEPTED_CAP": "10000"},
    ),
    Row(23, "gateway killed", push.kill_gateway, is_marked=True),
    Row(24, "gateway told to stop", push.drain_gateway, is_marked=True),
    Row(25, "a client stops reading", readers.stop_reading, is_marked=True),
    Row(26, "the feed's connection cut", push.cut_feed, is_marked=True),
    Row(27, "half-open client", readers.fall_silent),
    Row(28, "thousands come back at once", push.rush),
    Row(29, "tokens expire on live sockets", readers.outlive_tokens, is_marked=True),
    Row(30, "clocks ten minutes off", clocks.shift),
    Row(34, "secrets in logs", secrecy.read_logs, is_marked=True),
    Row(35, "big and slow bodies, huge frames", bodies.overfeed, is_marked=True),
    Row(39, "an ingest process hangs with locks held", hanging.hang, is_marked=True),
    Row(41, "PostgreSQL's clock set back, and months ahead", clocks.set_postgres),
    Row(44, "upkeep behind, scheduled sends due", schedule.catch_up, settings=schedule.SETTINGS),
    Row(45, "beat frozen", schedule.freeze_beat, is_marked=True),
    Row(37, "WebSocket conformance", conformance.conform),
    Row(42, "events that cannot be made", odd_events.plant, is_marked=True),
    Row(43, "recalls against kills and freezes", recalls.recall, is_marked=True),
    Row(38, "RabbitMQ: rows 4, 6, 8, 21", rabbitmq.again, settings=rabbitmq.SETTINGS),
    Row(
        40,
        "several large broadcasts of an app at once",
        broadcasts.send_several_at_once,
        is_marked=True,
    ),
    Row(46, "full disk with a long log, torn AOF", disk.outlive_disk_and_power_cut),
    Row(47, "a table gone during a broadcast", broadcasts.lose_a_table, is_marked=True),
    Row(49, "paused and resumed, workers killed", pauses.pause, is_marked=True),
    Row(
        53,
        "callbacks worker killed before its mark",
        callbacks.kill_between_call_and_mark,
        is_marked=True,
    ),
    Row(54, "servers killed while apps are called", callbacks.restart_servers, is_marked=True),
    Row(55, "dead endpoints beside healthy ones", callbacks.call_dead_endpoints, is_marked=True),
    Row(56, "workers killed while changes are told", cards.kill_while_told, is_marked=True),
    Row(57, "servers killed while cards change", cards.restart_servers, is_marked=True),
)
