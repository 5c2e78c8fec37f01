"""The backlog: how many accepted sends are not in the histories yet, and what else an operator watches.

Ingest refuses sends when it is too long; gauges, `carillon top` and `carillon doctor` show it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from storage.postgres.app_events.pushing import EndpointsState, measure_endpoints
from storage.postgres.held_apps import IS_IN_EFFECT, build_held_condition
from storage.postgres.sends.due_work import NEWEST_DUE_ID, due_parameters


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is under way, and what is wrong, at one moment.

    `waiting`: accepted sends that are not persisted, without scheduled ones. `oldest_seconds`: how long the oldest that
    is due has waited, a scheduled one too; 0.0 if none waits. `failed`: dead letters.
    `scheduled_due`: scheduled sends that are due and not persisted. `set_aside`: events that cannot be published.
    `drifted`: unread counters and to-dos that the last nightly recount found wrong.
    `broadcasts`: those being planned, expanded or taken back, without held ones. `people_left`: people whose chunk
    waits to be expanded. `parts_failing`: plans and chunks of broadcasts that failed and are tried again.
    `clock_ahead_seconds`: PostgreSQL's clock against this process's. `ids_ahead_seconds`: the instant in the highest id
    against PostgreSQL's clock; 0.0 unless that was set back. `sweep_age_seconds`: since beat last had a sweep made.
    `paused`: kind and target of every pause, such as `("queue", "sends")`. `endpoints`: those that apps are called at.
    """

    waiting: int
    oldest_seconds: float
    failed: int
    drifted: int = 0
    broadcasts: int = 0
    people_left: int = 0
    parts_failing: int = 0
    set_aside: int = 0
    scheduled_due: int = 0
    clock_ahead_seconds: float = 0.0
    ids_ahead_seconds: float = 0.0
    sweep_age_seconds: float = 0.0
    paused: tuple[tuple[str, str], ...] = ()
    endpoints: EndpointsState = field(default_factory=EndpointsState)

    @property
    def are_sends_paused(self) -> bool:
        """Whether sends wait because an operator paused their queue."""
        return ("queue", "sends") in self.paused


# The primary key of `accepted`, and indexes broadcasts_unfinished, broadcasts_pending, broadcast_chunks_waiting,
# broadcast_chunks_failing. Scheduled sends are not counted as waiting: many that are due at one instant are no reason
# to refuse others. They do count for how late the oldest is.
_BACKLOG = text(f"""
SELECT count(*) FILTER (WHERE NOT is_scheduled) AS waiting,
       count(*) FILTER (WHERE is_scheduled AND ring_at <= clock_timestamp()) AS scheduled_due,
       coalesce(extract(epoch FROM clock_timestamp() - min(ring_at)), 0) AS oldest_seconds,
       (SELECT count(*) FROM failed_sends) AS failed,
       (SELECT count(*) FROM unpublished WHERE error IS NOT NULL)
         + (SELECT count(*) FROM outbox WHERE error IS NOT NULL) AS set_aside,
       (SELECT coalesce(sum(drifted), 0) FROM recounts WHERE night IN (0, 2)) AS drifted,
       (SELECT count(*) FROM broadcasts b WHERE status IN ('PENDING', 'EXPANDING', 'RECALLING')
           AND (status = 'RECALLING' OR NOT {build_held_condition("b.app_id")})) AS broadcasts,
       (SELECT coalesce(sum(size), 0) FROM broadcast_chunks c
         WHERE state = 'waiting' AND NOT {build_held_condition("c.app_id")}) AS people_left,
       (SELECT count(*) FROM broadcast_chunks WHERE error IS NOT NULL AND state <> 'failed')
         + (SELECT count(*) FROM broadcasts WHERE status = 'PENDING' AND error IS NOT NULL)
         AS parts_failing,
       clock_timestamp() AS at,
       (SELECT greatest(0, (last_value - message_id_floor(clock_timestamp())) >> 12) FROM message_ids)
         AS ids_ahead_ms,
       (SELECT extract(epoch FROM clock_timestamp() - on_time_at) FROM turns WHERE name = 'sweep')
         AS sweep_age_seconds,
       ARRAY(SELECT ARRAY[kind, target] FROM pauses WHERE {IS_IN_EFFECT} ORDER BY kind DESC, target) AS paused
  FROM accepted WHERE id <= {NEWEST_DUE_ID}
""")  # noqa: S608 (constants)


def measure_backlog(connection: Connection) -> Backlog:
    """Measure the backlog now, in one snapshot (`endpoints` a moment later)."""
    row = connection.execute(_BACKLOG, due_parameters(None)).one()
    return Backlog(
        waiting=row.waiting,
        oldest_seconds=max(0.0, float(row.oldest_seconds)),
        failed=row.failed,
        drifted=row.drifted,
        broadcasts=row.broadcasts,
        people_left=row.people_left,
        parts_failing=row.parts_failing,
        set_aside=row.set_aside,
        scheduled_due=row.scheduled_due,
        clock_ahead_seconds=(row.at - datetime.now(UTC)).total_seconds(),
        ids_ahead_seconds=row.ids_ahead_ms / 1000,
        sweep_age_seconds=max(0.0, float(row.sweep_age_seconds or 0.0)),
        paused=tuple((kind, target) for kind, target in row.paused),
        endpoints=measure_endpoints(connection),
    )


# By the primary keys, in one snapshot.
_WAITING = text("""
SELECT id FROM accepted WHERE id = ANY(CAST(:ids AS bigint[]))
 UNION ALL
SELECT id FROM held_sends WHERE id = ANY(CAST(:ids AS bigint[]))
""")


def find_waiting(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of `ids` that are accepted or held, and not persisted yet (`Prefer: wait`)."""
    return set(connection.execute(_WAITING, {"ids": list(ids)}).scalars())
