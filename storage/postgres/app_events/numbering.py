"""Giving out sequence numbers: in one place for each app, after the commit of what caused the event.

Rows of `app_events` are committed in any order. A reader that goes on by `seq` never skips one, because a row gets its number
only when it is committed, from the holder of a lock, and what comes late gets a higher one
(docs/decisions/0042-events-to-apps.md).
"""

from sqlalchemy import Connection, text

from storage.model.app_event import AppEventType

# Of one event of reads (contract §9).
READS_OF_AN_EVENT = 500
# Numbered in one transaction, in which others wait for the lock.
NUMBERED_AT_ONCE = 1_000

# What was gathered less than a second ago (contract §9); an instant ahead of the clock is no instant to wait for.
GATHERED_JUST_NOW = "coalesce(clock_timestamp() - reads_gathered_at BETWEEN interval '0' AND interval '1 second', false)"
# Indexes app_events_unnumbered, app_reads_pkey.
_HAS_WORK = text(f"""
SELECT EXISTS (SELECT FROM app_events WHERE app_id = :app_id AND seq IS NULL)
    OR EXISTS (SELECT FROM app_callbacks WHERE app_id = :app_id AND NOT {GATHERED_JUST_NOW})
       AND EXISTS (SELECT FROM app_reads WHERE app_id = :app_id)
""")  # noqa: S608 (the constant above)
_LOCK = text(f"""
SELECT NOT {GATHERED_JUST_NOW} AS may_gather FROM app_callbacks WHERE app_id = :app_id FOR NO KEY UPDATE
""")  # noqa: S608 (the constant above)
# Of several accounts that a person has with the app, the first by name, as in the list of who has not read a broadcast.
_GATHER = text(f"""
WITH taken AS (
  DELETE FROM app_reads WHERE app_id = :app_id AND number = ANY (ARRAY(
    SELECT number FROM app_reads WHERE app_id = :app_id ORDER BY number LIMIT {READS_OF_AN_EVENT}))
  RETURNING number, message_id, user_id, read_at
), gathered AS (
  INSERT INTO app_events (app_id, type, data)
  SELECT :app_id, '{AppEventType.MESSAGE_READ}', jsonb_build_object('reads', jsonb_agg(jsonb_build_object(
           'message_id', t.message_id, 'user_id', t.user_id,
           'app_user_id', (SELECT min(app_user_id) FROM mappings m WHERE m.user_id = t.user_id AND m.app_id = :app_id),
           'read_at_ms', floor(extract(epoch FROM t.read_at) * 1000)::bigint) ORDER BY t.number))
    FROM taken t HAVING count(*) > 0
)
UPDATE app_callbacks SET reads_gathered_at = clock_timestamp()
 WHERE app_id = :app_id AND EXISTS (SELECT FROM taken)
""")  # noqa: S608 (constants)
# The numbers go on above the highest that was given out, also if a row vanishes meanwhile.
_NUMBER = text("""
WITH waiting AS MATERIALIZED (
  SELECT number, row_number() OVER (ORDER BY number) AS place
    FROM (SELECT number FROM app_events WHERE app_id = :app_id AND seq IS NULL ORDER BY number LIMIT :limit) next
), numbered AS (
  UPDATE app_events e SET seq = k.last_seq + w.place FROM waiting w, app_callbacks k
   WHERE k.app_id = :app_id AND e.number = w.number
  RETURNING e.seq
)
UPDATE app_callbacks SET last_seq = n.last_seq
  FROM (SELECT max(seq) AS last_seq, count(*) AS numbered FROM numbered) n
 WHERE app_id = :app_id AND n.numbered > 0
RETURNING n.numbered
""")


def number_events(connection: Connection, app_id: int, *, limit: int = NUMBERED_AT_ONCE) -> int:
    """Gather the app's reads into an event, if one is due, and number up to `limit` of its events; returns how many.

    As many as `limit`: there may be more. To be called in a transaction of its own, under READ COMMITTED: it waits while
    another transaction numbers this app's events, and its statements have to see what that one committed. Safe to
    repeat, and for several processes at once. Without anything to number it takes no lock.
    """
    asked = {"app_id": app_id}
    if not connection.execute(_HAS_WORK, asked).scalar_one():
        return 0
    locked = connection.execute(_LOCK, asked).first()
    if locked is None:
        return 0
    if locked.may_gather:
        connection.execute(_GATHER, asked)
    return int(connection.execute(_NUMBER, asked | {"limit": limit}).scalar() or 0)
