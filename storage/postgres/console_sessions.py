"""The console's sessions and attempts to sign in; in the record, so that all ingest processes share them.

Called by ingest's console. Only a digest of a session's id is stored, so that nobody who can read the table has a
session.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from storage.model.errors import OverLimit


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many attempts are allowed within `window`: `of_one` from one address, `of_all` in all."""

    window: timedelta = timedelta(minutes=5)
    of_one: int = 10
    of_all: int = 100


# One attempt at a time: many at once would all find that there is room for one more.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('carillon console sign-in'))")
# There are never more rows than `of_all`, because a refused attempt is not written. Index: console_sign_ins_tried_at.
_FORGET = text(
    "DELETE FROM console_sign_ins WHERE tried_at <= clock_timestamp() - CAST(:window AS interval)"
)
_TRY = text("""
WITH tried AS (
  SELECT count(*) AS by_all, count(*) FILTER (WHERE address = :address) AS by_one,
         min(tried_at) AS first_of_all, min(tried_at) FILTER (WHERE address = :address) AS first_of_one
    FROM console_sign_ins
), entered AS (
  INSERT INTO console_sign_ins (address)
  SELECT :address FROM tried WHERE by_one < :of_one AND by_all < :of_all
  RETURNING address
)
SELECT EXISTS (SELECT 1 FROM entered) AS may_try,
       extract(epoch FROM CASE WHEN by_one >= :of_one THEN first_of_one ELSE first_of_all END
               + CAST(:window AS interval) - clock_timestamp()) AS seconds
  FROM tried
""")


def try_sign_in(connection: Connection, address: str, *, limits: SignInLimits) -> None:
    """Record an attempt from `address`, in the caller's transaction. Raises OverLimit when there were too many."""
    asked = {
        "address": address,
        "window": limits.window,
        "of_one": limits.of_one,
        "of_all": limits.of_all,
    }
    connection.execute(_IN_TURN)
    connection.execute(_FORGET, {"window": limits.window})
    row = connection.execute(_TRY, asked).one()
    if not row.may_try:
        seconds = max(1.0, float(row.seconds))
        raise OverLimit(
            f"Signing in was tried too often; try again in {math.ceil(seconds / 60)} min.",
            retry_after_seconds=seconds,
        )


# Sessions whose time is over are deleted when the next one begins; there are about as many as operators.
_BEGIN = text("""
WITH over AS (DELETE FROM console_sessions WHERE ends_at <= clock_timestamp())
INSERT INTO console_sessions (digest, ends_at)
VALUES (:digest, clock_timestamp() + CAST(:lifetime AS interval))
""")


def begin(connection: Connection, id: str, *, lifetime: timedelta) -> None:
    """Open the session `id`, in the caller's transaction."""
    connection.execute(_BEGIN, {"digest": _digest(id), "lifetime": lifetime})


_IS_OPEN = text("""
SELECT EXISTS (SELECT 1 FROM console_sessions WHERE digest = :digest AND ends_at > clock_timestamp())
""")


def is_open(connection: Connection, id: str) -> bool:
    """Whether the session was begun, was not ended, and its time is not over. Primary key."""
    return bool(connection.execute(_IS_OPEN, {"digest": _digest(id)}).scalar_one())


_END = text("DELETE FROM console_sessions WHERE digest = :digest")


def end(connection: Connection, id: str) -> None:
    """End a session, for good; safe to repeat."""
    connection.execute(_END, {"digest": _digest(id)})


def _digest(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()
