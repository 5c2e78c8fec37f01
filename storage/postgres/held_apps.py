"""What is held, in SQL: the work of a paused queue, and everything of an app that is disabled or paused (contract §2).

`held_apps` names the held apps, so that lanes read one small table; `update_held_apps` keeps it true to `apps` and
`pauses`. An app whose pause has ended stays in it, releasing, until its sends that were put aside are back in their
order (`sends/held_sends.py`, docs/decisions/0033-pauses.md).
"""

from sqlalchemy import Connection, text

IS_IN_EFFECT = "(until IS NULL OR until > clock_timestamp())"


def build_paused_condition(queue: str) -> str:
    """The SQL condition that the queue is paused. It depends on no row, so PostgreSQL asks it once and then reads nothing."""
    return f"EXISTS (SELECT FROM pauses WHERE kind = 'queue' AND target = '{queue}' AND {IS_IN_EFFECT})"


def build_held_condition(app_id: str) -> str:
    """The SQL condition that broadcasts of the app in the column `app_id` do not go on. Primary key of `held_apps`.

    It is false for NULL and for an app that does not exist, unless the queue of broadcasts is paused.
    """
    return f"""({build_paused_condition("broadcasts")}
      OR EXISTS (SELECT FROM held_apps held WHERE held.app_id = {app_id} AND NOT held.is_releasing))"""


# A send of a releasing app goes on only when everything that was accepted before it is back in `accepted`.
IS_HELD_SEND = f"""({build_paused_condition("sends")}
  OR (sent_by_app_id IS NOT NULL AND sent_by_app_id = ANY (ARRAY(SELECT app_id FROM held_apps))
      AND id > (SELECT h.released_up_to FROM held_apps h WHERE h.app_id = sent_by_app_id)))
"""  # noqa: S608 (constants)

# One at a time: an app must not be found drained while some of its sends are just being put aside.
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtext('carillon held apps'))")
_TRY_TURN = text("SELECT pg_try_advisory_xact_lock(hashtext('carillon held apps'))")


def take_turn(connection: Connection) -> None:
    """Be the only one who changes what is held, until the transaction ends. If another does it now, this waits."""
    connection.execute(_TAKE_TURN)


def try_turn(connection: Connection) -> bool:
    """Be the only one who changes what is held, until the transaction ends; False if somebody else is at it."""
    return bool(connection.execute(_TRY_TURN).scalar_one())


# Apps are few: the table is read in full. Nothing is written where nothing changes. Index held_sends_app_id_id.
_UPDATE = text(f"""
WITH wanted AS MATERIALIZED (
  SELECT a.id FROM apps a
   WHERE NOT a.is_active
      OR EXISTS (SELECT FROM pauses WHERE kind = 'app' AND target = a.app_id AND {IS_IN_EFFECT})
), begun AS (
  INSERT INTO held_apps (app_id)
  SELECT id FROM wanted
   WHERE NOT EXISTS (SELECT FROM held_apps h WHERE h.app_id = wanted.id AND NOT h.is_releasing)
  ON CONFLICT (app_id) DO UPDATE SET is_releasing = false, released_up_to = 0, held_at = clock_timestamp()
), over AS MATERIALIZED (
  SELECT h.app_id, h.is_releasing,
         EXISTS (SELECT FROM held_sends s WHERE s.app_id = h.app_id) AS has_sends
    FROM held_apps h WHERE h.app_id NOT IN (SELECT id FROM wanted)
), released AS (
  UPDATE held_apps h SET is_releasing = true FROM over o
   WHERE o.app_id = h.app_id AND o.has_sends AND NOT o.is_releasing
), done AS (
  DELETE FROM held_apps h USING over o WHERE o.app_id = h.app_id AND NOT o.has_sends
)
SELECT count(*) FROM over WHERE NOT is_releasing OR NOT has_sends
""")  # noqa: S608 (a constant)


def update_held_apps(connection: Connection) -> int:
    """Make `held_apps` what `apps` and `pauses` say now; returns how many apps have something that may go on again.

    In the caller's transaction, in a turn as `take_turn` gives it. Safe to repeat.
    """
    take_turn(connection)
    return int(connection.execute(_UPDATE).scalar_one())
