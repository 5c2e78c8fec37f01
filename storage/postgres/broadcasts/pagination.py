"""Where a page of broadcasts goes on: lists are in the order of acceptance (contract §3)."""

# After the acceptance of the last that was shown; of one that is gone, after the instant in its id (m0001).
# For a WITH; asks for :before_id.
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
