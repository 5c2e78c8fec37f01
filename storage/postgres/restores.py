"""What the record needs after it was restored from a backup, before anything is sent again.

A backup does not know what was given out after it was made. Called by `carillon restore` and `carillon db after-restore`
(docs/decisions/0034-backups.md).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from storage.model.error_codes import ErrorCode
from storage.model.errors import InConflict
from storage.model.operator import Actor
from storage.postgres import audit

# How far the numbers of an app's events go on above those that the backup knows: an app goes on behind the highest that it has.
_SKIPPED_EVENTS = 1_000_000
# How far numbers of rows (apps, secrets) go on above those that the backup knows.
SKIPPED_NUMBERS = 1_000
# Partitions are made ahead for longer than that.
_FARTHEST = timedelta(days=31)

_READ = text("""
SELECT clock_timestamp() AS now, (SELECT count(*) FROM accepted) AS accepted,
       (SELECT count(*) FROM apps) AS apps, (SELECT count(*) FROM users) AS users
""")


@dataclass(frozen=True, slots=True)
class RestoredRecord:
    """What a restored record holds: people, apps, and accepted sends that are not in the histories yet."""

    users: int
    apps: int
    accepted: int


# The clock is past every id of a live send that the lost database gave out, if clocks are right; `after` is for when
# the lost one's was ahead.
_RAISE_LIVE_IDS = text("""
SELECT setval('message_ids', greatest(
  last_value, message_id_floor(clock_timestamp()), message_id_floor(CAST(:after AS timestamptz))))
  FROM message_ids
""")
# Numbers that clients keep (an app's is its conversation's) are not given to others.
_RAISE_NUMBERS = text("""
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass,
              least(max_value, coalesce(last_value, 0) + :skipped))
  FROM pg_sequences
 WHERE schemaname = current_schema() AND increment_by = 1 AND data_type IN ('integer', 'bigint')
   AND sequencename NOT IN ('message_ids', 'message_numbers', 'scheduled_lives')
""")
# Another part of each instant's ids than the backup's: 1 to 7 further, by the minute, so that it differs also from a life
# that began with the same backup.
_TAKE_ANOTHER_LIFE = text("""
SELECT setval('scheduled_lives', last_value + 1 + floor(extract(epoch FROM clock_timestamp()) / 60)::bigint % 7)
  FROM scheduled_lives
""")
_RAISE_EVENT_NUMBERS = text("UPDATE app_callbacks SET last_seq = last_seq + :skipped")
_END_SESSIONS = text("DELETE FROM console_sessions")
_FORGET_SIGN_INS = text("DELETE FROM console_sign_ins")


_ANALYZE = text("ANALYZE")


def gather_statistics(connection: Connection) -> None:
    """Count anew what PostgreSQL chooses its plans by: a dump does not carry it."""
    connection.execute(_ANALYZE)


_CLOCK = text("SELECT clock_timestamp()")


def read_clock(connection: Connection) -> datetime:
    """PostgreSQL's clock now, which ids are made of."""
    now: datetime = connection.execute(_CLOCK).scalar_one()
    return now


def begin_anew(
    connection: Connection, actor: Actor, *, ids_after: datetime | None = None
) -> RestoredRecord:
    """Make sure that no id or number that was given out after the backup is given out again; end operators' sessions.

    Ids of live sends go on above `ids_after` and above PostgreSQL's clock. Scheduled sends take a part of each instant's
    ids that was not in use when the backup was made. To be called as the schema's owner, while no process accepts.
    Safe to repeat. The audit says who did it. Raises InConflict if `ids_after` is over a month ahead of PostgreSQL's clock.
    """
    row = connection.execute(_READ).one()
    if ids_after is not None and ids_after > row.now + _FARTHEST:
        raise InConflict(
            "Ids may begin at most 31 days ahead of PostgreSQL's clock.", code=ErrorCode.IN_CONFLICT
        )
    connection.execute(_RAISE_LIVE_IDS, {"after": ids_after})
    connection.execute(_TAKE_ANOTHER_LIFE)
    connection.execute(_RAISE_NUMBERS, {"skipped": SKIPPED_NUMBERS})
    connection.execute(_RAISE_EVENT_NUMBERS, {"skipped": _SKIPPED_EVENTS})
    connection.execute(_END_SESSIONS)
    connection.execute(_FORGET_SIGN_INS)
    found = RestoredRecord(users=row.users, apps=row.apps, accepted=row.accepted)
    audit.record(connection, actor, act="record.restore", target="record", after=asdict(found))
    return found
