"""Whether the demo's people may sign in at `/inbox` without a password: what `carillon up` says to ingest about it.

Only where nobody can be hurt: this machine alone reaches the stack, and its tokens are of the stack's own making
(docs/decisions/0039-inbox-and-bundles.md). Ingest itself refuses to start, and each request, by what it can see.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ops.local.settings import UpSettings
from storage.model.errors import InvalidSettings
from storage.model.networks import is_loopback
from storage.setting_parsers import yes_or_no
from storage.settings import load

VARIABLE = "CARILLON_INBOX_DEMO"
_KEYS = ("CARILLON_JWT_SECRET", "CARILLON_JWT_PUBLIC_KEY_FILE", "CARILLON_JWT_JWKS_FILE")


def choose_demo(environ: Mapping[str, str]) -> str:
    """The value of CARILLON_INBOX_DEMO for the processes of a stack with these variables, before any is filled in.

    What is set stays. Raises InvalidSettings if it is set to "on" where it may not be.
    """
    said = environ.get(VARIABLE, "")
    obstacle = next(_list_obstacles(environ), None)
    if not said:
        return "on" if obstacle is None else "off"
    if obstacle is not None and _is_yes(said):
        raise InvalidSettings(f"{VARIABLE}={said}: not here, for {obstacle}.")
    return said


def _list_obstacles(environ: Mapping[str, str]) -> Iterator[str]:
    where = load(UpSettings, environ)
    if not is_loopback(where.host):
        yield f"other machines may reach the address {where.host} (CARILLON_HOST)"
    if where.public_url and not is_loopback(urlsplit(where.public_url).hostname or ""):
        yield f"clients are to come by {where.public_url} (CARILLON_PUBLIC_URL)"
    if environ.get("CARILLON_TRUSTED_PROXIES"):
        yield "there is a proxy in front (CARILLON_TRUSTED_PROXIES)"
    if any(environ.get(name) for name in _KEYS) or environ.get("CARILLON_JWT_ALGORITHMS"):
        yield "tokens are not of this stack's own making (CARILLON_JWT_…)"
    if environ.get("CARILLON_INBOX") and not _is_yes(environ["CARILLON_INBOX"]):
        yield "there is no inbox (CARILLON_INBOX)"


def _is_yes(text: str) -> bool:
    """Whether it says yes; what is malformed does not, and the check of all settings names it."""
    try:
        return yes_or_no(text)
    except ValueError:
        return False
