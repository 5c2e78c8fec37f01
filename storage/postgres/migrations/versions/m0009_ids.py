"""Ids that rise whatever PostgreSQL's clock does: the highest given out is remembered in a sequence.

A sequence is in the WAL, is not rolled back, and a standby has it: what was answered is below it, also
after a failover. Scheduled sends get ids of the instant they are due, one after the other.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# An id: milliseconds since 2026-01-01 in the high bits, a number of 11 bits, and the lowest bit, which is
# set for scheduled sends, so that the two kinds can never meet.
LIVE = """
CREATE SEQUENCE message_ids;

-- The highest that any live send has had; what is scheduled is odd.
SELECT setval('message_ids', greatest(
  2, message_id_floor(clock_timestamp()),
  (SELECT id FROM accepted WHERE id & 1 = 0 ORDER BY id DESC LIMIT 1),
  (SELECT id FROM messages WHERE id & 1 = 0 ORDER BY id DESC LIMIT 1),
  (SELECT id FROM failed_sends WHERE id & 1 = 0 ORDER BY id DESC LIMIT 1)));

-- The first of `count` ids (first, first + 2, ...) above every one given out before. Raises 55C01, and takes
-- none, when the clock is past `latest` (Unix milliseconds): a clock that jumped would lead all later ids away.
-- `message_numbers` counts them. The lock is given back at once, not at the commit: it belongs to the block, which always ends with an
-- exception, so that nothing that happens in it (a timeout, a cancel) can keep the lock either.
CREATE FUNCTION take_message_ids(count int, latest bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  now_ms bigint;
  first bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('carillon message ids'));
  now_ms := floor(extract(epoch FROM clock_timestamp()) * 1000);
  IF now_ms > latest OR now_ms < 1767225600000 THEN
    RAISE EXCEPTION 'the clock of PostgreSQL is wrong' USING ERRCODE = '55C01';
  END IF;
  SELECT greatest((now_ms - 1767225600000) << 12, last_value + 2) INTO first FROM message_ids;
  PERFORM setval('message_ids', first + 2 * (count - 1));
  PERFORM setval('message_numbers', count + CASE WHEN is_called THEN last_value ELSE 0 END)
     FROM message_numbers;
  RAISE EXCEPTION USING ERRCODE = 'CAR01';
EXCEPTION WHEN SQLSTATE 'CAR01' THEN
  RETURN first;
END
$$;
"""

SCHEDULED = """
CREATE FUNCTION is_message_id_taken(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM accepted WHERE id = wanted)
      OR EXISTS (SELECT FROM messages WHERE id = wanted)
      OR EXISTS (SELECT FROM failed_sends WHERE id = wanted)
$$;

-- The first id of a scheduled send that is free in the millisecond `ms` (since 2026), or in a later one when
-- that is full; all behind it in its millisecond are free too. A full millisecond stays full, so that a
-- later call for the same `ms` gets a higher id. Locks the minute until the commit: the next caller must see
-- what was taken.
CREATE FUNCTION free_scheduled_id(ms bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  low bigint := ms << 12;
  high bigint := (ms << 12) + 4095;
  taken bigint;
  step bigint := 1;
  full_ms bigint := ms;
  free_ms bigint := ms + 1;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('carillon scheduled'), (ms / 60000)::int);
  IF NOT is_message_id_taken(high) THEN
    SELECT max(id) INTO taken FROM (
      (SELECT id FROM accepted WHERE id BETWEEN low AND high AND id & 1 = 1 ORDER BY id DESC LIMIT 1)
      UNION ALL
      (SELECT id FROM messages WHERE id BETWEEN low AND high AND id & 1 = 1 ORDER BY id DESC LIMIT 1)
      UNION ALL
      (SELECT id FROM failed_sends WHERE id BETWEEN low AND high AND id & 1 = 1 ORDER BY id DESC LIMIT 1)
    ) AS there;
    RETURN coalesce(taken + 2, low + 1);
  END IF;
  -- Steps that double, then halves: a million of one instant fill 500 milliseconds.
  WHILE is_message_id_taken((free_ms << 12) + 4095) LOOP
    step := step * 2;
    full_ms := free_ms;
    free_ms := free_ms + step;
  END LOOP;
  WHILE free_ms - full_ms > 1 LOOP
    IF is_message_id_taken((((full_ms + free_ms) / 2) << 12) + 4095) THEN
      full_ms := (full_ms + free_ms) / 2;
    ELSE
      free_ms := (full_ms + free_ms) / 2;
    END IF;
  END LOOP;
  RETURN free_scheduled_id(free_ms);
END
$$;

-- An id for each of `dues`, in their order; NULL for what is due already, which is a live send, and for NULL.
-- None is below what live sends have had, also when the clock was set back.
CREATE FUNCTION take_scheduled_ids(dues timestamptz[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ids bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(dues)]);
  live_ms bigint;
  next bigint := 0;
  due record;
BEGIN
  SELECT last_value >> 12 INTO live_ms FROM message_ids;
  FOR due IN
    SELECT greatest(message_id_floor(at) >> 12, live_ms + 1) AS ms, place
      FROM unnest(dues) WITH ORDINALITY AS u(at, place)
     WHERE at > clock_timestamp() ORDER BY ms, place
  LOOP
    IF next & 4095 = 1 OR next < due.ms << 12 THEN
      next := free_scheduled_id(greatest(due.ms, next >> 12));
    END IF;
    ids[due.place] := next;
    next := next + 2;
  END LOOP;
  RETURN ids;
END
$$;

DROP FUNCTION next_message_id(timestamptz);

-- One id, by whatever clock PostgreSQL has: for tests and benches.
CREATE FUNCTION next_message_id() RETURNS bigint
LANGUAGE sql VOLATILE AS $$ SELECT take_message_ids(1, 9007199254740991) $$;
"""


def upgrade() -> None:
    for statements in (LIVE, SCHEDULED):
        op.get_bind().exec_driver_sql(statements)
