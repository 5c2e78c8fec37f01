"""The ids of held sends are taken too: `take_scheduled_ids` must not give one out again after the clock was set back."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# As in m0009, and held_sends.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION is_message_id_taken(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM accepted WHERE id = wanted)
      OR EXISTS (SELECT FROM messages WHERE id = wanted)
      OR EXISTS (SELECT FROM failed_sends WHERE id = wanted)
      OR EXISTS (SELECT FROM held_sends WHERE id = wanted)
$$;

CREATE OR REPLACE FUNCTION free_scheduled_id(ms bigint) RETURNS bigint
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
      UNION ALL
      (SELECT id FROM held_sends WHERE id BETWEEN low AND high AND id & 1 = 1 ORDER BY id DESC LIMIT 1)
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
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FUNCTIONS)
