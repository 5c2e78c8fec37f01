"""Who is signed in to the console: a cookie that says until when, signed with the operator's token. Pure.

Nothing is kept on the server: every ingest process knows it by the token, and another token ends all.
"""

import hashlib
import hmac

LIFETIME_SECONDS = 12 * 3600
COOKIE = "carillon_console"


def is_token(text: str, token: str) -> bool:
    """Whether `text` is the operator's token; in constant time."""
    return hmac.compare_digest(_bytes(text), _bytes(token))


def issue(token: str, *, now: float) -> str:
    """A cookie's value that is good for LIFETIME_SECONDS from `now` (Unix time)."""
    until = str(int(now) + LIFETIME_SECONDS)
    return f"{until}.{_signature(until, token)}"


def is_valid(value: str, token: str, *, now: float) -> bool:
    """Whether `issue` made `value` with this token, and its time is not over."""
    until, _, signature = value.partition(".")
    if not hmac.compare_digest(_bytes(signature), _bytes(_signature(until, token))):
        return False
    return now < int(until)


def _signature(until: str, token: str) -> str:
    return hmac.new(_bytes(token), b"carillon console " + _bytes(until), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
