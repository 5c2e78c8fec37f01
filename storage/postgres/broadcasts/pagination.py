"""Pages of lists of broadcasts, in the order of acceptance (contract §3), as parts of SQL.

For the API's list (`reports.py`) and the operator's (`overview.py`).
"""

# A part of a WITH: when the broadcast :before_id was accepted, behind which the page goes on. If it is gone, the instant
# in its id is taken (m0001).
BEFORE = """before AS MATERIALIZED (
  SELECT coalesce(
    (SELECT accepted_at FROM broadcasts WHERE id = :before_id),
    (SELECT coalesce(accepted_at, created_at) FROM accepted WHERE id = :before_id),
    (SELECT CAST(coalesce(payload ->> 'accepted_at', payload ->> 'created_at') AS timestamptz)
       FROM failed_sends WHERE id = :before_id),
    to_timestamp(((greatest(CAST(:before_id AS bigint), 0) >> 12) + 1767225600000) / 1000.0)) AS at
)"""
IS_BEFORE = "(accepted_at, id) < (SELECT at, CAST(:before_id AS bigint) FROM before)"
LAST_ID = 2**63 - 1
