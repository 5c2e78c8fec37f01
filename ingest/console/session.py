"""Who is signed in to the console: a cookie that names a session, signed with the operator's token. Pure.

The session itself is in the record (`storage/postgres/console_sessions.py`), so that signing out ends it, in every
ingest process; the signature keeps guesses away from the record, and another token ends all.
"""

import hashlib
import hmac

LIFETIME_SECONDS = 12 * 3600
COOKIE = "carillon_console"


def is_token(text: str, token: str) -> bool:
    """Whether `text` is the operator's token; in constant time."""
    return hmac.compare_digest(_bytes(text), _bytes(token))


def issue(token: str, id: str, *, now: float) -> str:
    """A cookie's value that names the session `id`, good for LIFETIME_SECONDS from `now` (Unix time).

    `id` has no dot, and cannot be guessed.
    """
    said = f"{int(now) + LIFETIME_SECONDS}.{id}"
    return f"{said}.{_signature(said, token)}"


def session_of(value: str, token: str, *, now: float) -> str | None:
    """The session that a cookie's value names; None unless `issue` made it with this token and its time is not over."""
    said, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_bytes(signature), _bytes(_signature(said, token))):
        return None
    until, _, id = said.partition(".")
    return id if now < int(until) else None


def _signature(said: str, token: str) -> str:
    return hmac.new(_bytes(token), b"carillon console " + _bytes(said), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
