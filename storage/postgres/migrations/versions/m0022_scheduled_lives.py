"""Scheduled ids after a restore are others than before: each life of the record has an eighth of every millisecond.

A scheduled send's id is of the instant at which it is due. Without this, one that was accepted after a backup was made, and
another that is accepted after the restore for the same instant, would have the same id (docs/decisions/0034-backups.md).
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# As in m0009 and m0019, but for the life: bits 9 to 11 of an id. `scheduled_lives` is raised by a restore alone.
FUNCTIONS = """
CREATE SEQUENCE scheduled_lives MINVALUE 0 START 0;

CREATE OR REPLACE FUNCTION free_scheduled_id(ms bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  life bigint := (SELECT (last_value & 7) << 9 FROM scheduled_lives);
  low bigint := (ms << 12) + life;
  high bigint := low + 511;
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
      UNION ALL
      (SELECT id FROM held_sends WHERE id BETWEEN low AND high AND id & 1 = 1 ORDER BY id DESC LIMIT 1)
    ) AS there;
    RETURN coalesce(taken + 2, low + 1);
  END IF;
  -- Steps that double, then halves: a million of one instant fill some thousands of milliseconds.
  WHILE is_message_id_taken((free_ms << 12) + life + 511) LOOP
    step := step * 2;
    full_ms := free_ms;
    free_ms := free_ms + step;
  END LOOP;
  WHILE free_ms - full_ms > 1 LOOP
    IF is_message_id_taken((((full_ms + free_ms) / 2) << 12) + life + 511) THEN
      full_ms := (full_ms + free_ms) / 2;
    ELSE
      free_ms := (full_ms + free_ms) / 2;
    END IF;
  END LOOP;
  RETURN free_scheduled_id(free_ms);
END
$$;

CREATE OR REPLACE FUNCTION take_scheduled_ids(dues timestamptz[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ids bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(dues)]);
  live_ms bigint;
  next bigint := 0;
  next_ms bigint := 0;
  due record;
BEGIN
  SELECT last_value >> 12 INTO live_ms FROM message_ids;
  FOR due IN
    SELECT greatest(message_id_floor(at) >> 12, live_ms + 1) AS ms, place
      FROM unnest(dues) WITH ORDINALITY AS u(at, place)
     WHERE at > clock_timestamp() ORDER BY ms, place
  LOOP
    IF next = 0 OR next & 511 = 1 OR next_ms < due.ms THEN
      -- What this call took is not in a table yet: a part that it filled up has to be left by hand.
      next := free_scheduled_id(greatest(due.ms, next_ms + CASE WHEN next & 511 = 1 THEN 1 ELSE 0 END));
      next_ms := next >> 12;
    END IF;
    ids[due.place] := next;
    next := next + 2;
  END LOOP;
  RETURN ids;
END
$$;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FUNCTIONS)
