"""The console's sessions and attempts to sign in; in the record, so that all ingest processes share them.

Called by ingest's console. Only a digest of a session's id is stored, so that nobody who can read the table has a
session. Who is signed in, and in which role, is looked up anew for every request.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from storage.model.error_codes import ErrorCode
from storage.model.errors import OverLimit
from storage.model.operator import FIRST_ADMIN, Role, SignedIn


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many attempts are allowed within `window`: `of_one` from one address, `of_name` under one name, `of_all` in all.

    More under a name than from an address, so that one machine alone cannot keep an operator out.
    """

    window: timedelta = timedelta(minutes=5)
    of_one: int = 10
    of_name: int = 30
    of_all: int = 100


# One attempt at a time: many at once would all find that there is room for one more.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('carillon console sign-in'))")
# There are never more rows than `of_all`, because a refused attempt is not written. Index: console_sign_ins_tried_at.
_FORGET = text(
    "DELETE FROM console_sign_ins WHERE tried_at <= clock_timestamp() - CAST(:window AS interval)"
)
_TRY = text("""
WITH tried AS (
  SELECT count(*) AS by_all, min(tried_at) AS first_of_all,
         count(*) FILTER (WHERE address = :address) AS by_one,
         min(tried_at) FILTER (WHERE address = :address) AS first_of_one,
         count(*) FILTER (WHERE name = :name AND name <> '') AS by_name,
         min(tried_at) FILTER (WHERE name = :name) AS first_of_name
    FROM console_sign_ins
), entered AS (
  INSERT INTO console_sign_ins (address, name)
  SELECT :address, :name FROM tried
   WHERE by_one < :of_one AND by_name < :of_name AND by_all < :of_all
  RETURNING address
)
SELECT EXISTS (SELECT 1 FROM entered) AS may_try,
       extract(epoch FROM CASE WHEN by_one >= :of_one THEN first_of_one
                               WHEN by_name >= :of_name THEN first_of_name
                               ELSE first_of_all END
               + CAST(:window AS interval) - clock_timestamp()) AS seconds
  FROM tried
""")


def try_sign_in(
    connection: Connection, address: str, *, name: str = "", limits: SignInLimits
) -> None:
    """Record an attempt from `address` under `name`, in the caller's transaction. Raises OverLimit after too many.

    A name counts whether or not somebody has it; the empty one is the token's, and counts by address alone.
    """
    asked = {
        "address": address,
        "name": name,
        "window": limits.window,
        "of_one": limits.of_one,
        "of_name": limits.of_name,
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
            code=ErrorCode.TOO_MANY_SIGN_INS,
        )


# Sessions whose time is over are deleted when the next one begins; there are about as many as operators.
_BEGIN = text("""
WITH over AS (DELETE FROM console_sessions WHERE ends_at <= clock_timestamp())
INSERT INTO console_sessions (digest, ends_at, operator)
VALUES (:digest, clock_timestamp() + CAST(:lifetime AS interval), :operator)
""")


def begin(connection: Connection, id: str, *, name: str, lifetime: timedelta) -> None:
    """Open the session `id` of an operator (FIRST_ADMIN: of the token), in the caller's transaction."""
    operator = None if name == FIRST_ADMIN else name
    connection.execute(_BEGIN, {"digest": _digest(id), "lifetime": lifetime, "operator": operator})


# A session of somebody who was disabled is none, also if it was begun in the same moment.
_FIND = text("""
SELECT s.operator, o.role FROM console_sessions s LEFT JOIN operators o ON o.name = s.operator
 WHERE s.digest = :digest AND s.ends_at > clock_timestamp()
   AND (s.operator IS NULL OR (o.name IS NOT NULL AND o.disabled_at IS NULL))
""")


def find(connection: Connection, id: str) -> SignedIn | None:
    """Who has the session `id` open, and their role now; None if it is over, or they are disabled. Primary keys."""
    row = connection.execute(_FIND, {"digest": _digest(id)}).one_or_none()
    if row is None:
        return None
    if row.operator is None:
        return SignedIn(FIRST_ADMIN, Role.ADMIN)
    return SignedIn(row.operator, Role(row.role))


_END = text("DELETE FROM console_sessions WHERE digest = :digest")


def end(connection: Connection, id: str) -> None:
    """End a session, for good; safe to repeat."""
    connection.execute(_END, {"digest": _digest(id)})


def _digest(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()
