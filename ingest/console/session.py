"""The cookie of an operator who is signed in: it names a session, signed with the operator's token. Pure.

The session itself is in PostgreSQL (`storage/postgres/console_sessions.py`), so that signing out ends it in every
ingest process. The signature keeps guessed cookies from costing a query, and a new token ends all sessions.
"""

import hashlib
import hmac

LIFETIME_SECONDS = 12 * 3600
COOKIE = "carillon_console"


def is_token(text: str, token: str) -> bool:
    """Whether `text` is the operator's token; takes as long for every text of the same length."""
    return hmac.compare_digest(_bytes(text), _bytes(token))


def make_cookie(token: str, id: str, *, now: float) -> str:
    """The value of a cookie that names the session `id`, valid for LIFETIME_SECONDS from `now` (Unix time).

    `id` has no dot; it should be random, so that nobody can guess it.
    """
    claim = f"{int(now) + LIFETIME_SECONDS}.{id}"
    return f"{claim}.{_sign(claim, token)}"


def read_cookie(value: str, token: str, *, now: float) -> str | None:
    """The id of the session that a cookie's value names.

    None unless `make_cookie` made it with this token and its time is not over at `now` (Unix time).
    """
    claim, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_bytes(signature), _bytes(_sign(claim, token))):
        return None
    until, _, id = claim.partition(".")
    return id if now < int(until) else None


def _sign(claim: str, token: str) -> str:
    return hmac.new(_bytes(token), b"carillon console " + _bytes(claim), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
