"""How many people a broadcast would have if it were accepted now, for `POST /broadcasts/preview`; writes nothing."""

from collections.abc import Collection

from sqlalchemy import Connection, text

# The conditions of `planning.py` with now for the instant of acceptance: nobody can have changed since. The clock is read once,
# after the snapshot is taken. Index users_active, without the wide rows.
_ACTIVE = """
SELECT count(*) FROM users
 WHERE status = 'ACTIVE' AND NOT is_deleted AND created_at <= (SELECT clock_timestamp())
"""
_EVERYONE = text(_ACTIVE)
# Index users_pkey.
_NAMED = text(f"{_ACTIVE} AND id = ANY(CAST(:ids AS bigint[]))")


def count_audience(connection: Connection, user_ids: Collection[int] | None) -> int:
    """How many people the plan of a broadcast to these people (None: to everyone) would have, accepted now.

    Each of them counts once, and only who is active (contract §3). For everyone it reads the index in full.
    """
    if user_ids is None:
        return int(connection.execute(_EVERYONE).scalar_one())
    return int(connection.execute(_NAMED, {"ids": list(user_ids)}).scalar_one())
