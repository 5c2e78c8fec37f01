"""The cookie of an operator who is signed in: it names a session, and is signed. Pure.

The session itself is in PostgreSQL (`storage/postgres/console_sessions.py`), so that signing out ends it in every
ingest process. The signature keeps guessed cookies from costing a query. Its key is made of the operator's token and of
CARILLON_SECRETS_KEY: a new one of either ends all sessions.
"""

import hashlib
import hmac

from storage.keys.vault import Vault

LIFETIME_SECONDS = 12 * 3600
COOKIE = "carillon_console"


def derive_cookie_key(vault: Vault, token: str) -> bytes:
    """The key that cookies are signed with, the same in every ingest process; `token` may be empty."""
    return hmac.new(vault.derive_key("console cookie"), _encode(token), hashlib.sha256).digest()


def is_token(text: str, token: str) -> bool:
    """Whether `text` is the operator's token; takes as long for every text of the same length. An empty one never is."""
    return hmac.compare_digest(_encode(text), _encode(token)) and bool(token)


def make_cookie(key: bytes, id: str, *, now: float) -> str:
    """The value of a cookie that names the session `id`, valid for LIFETIME_SECONDS from `now` (Unix time).

    `id` has no dot; it should be random, so that nobody can guess it.
    """
    claim = f"{int(now) + LIFETIME_SECONDS}.{id}"
    return f"{claim}.{_sign(claim, key)}"


def read_cookie(value: str, key: bytes, *, now: float) -> str | None:
    """The id of the session that a cookie's value names.

    None unless `make_cookie` made it with this key and its time is not over at `now` (Unix time).
    """
    claim, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_encode(signature), _encode(_sign(claim, key))):
        return None
    until, _, id = claim.partition(".")
    return id if now < int(until) else None


def _sign(claim: str, key: bytes) -> str:
    return hmac.new(key, b"carillon console " + _encode(claim), hashlib.sha256).hexdigest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
