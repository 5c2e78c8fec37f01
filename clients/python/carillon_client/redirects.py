"""Where a callback page sends people on: `next` is in a link that anybody can write."""

from collections.abc import Collection
from urllib.parse import urlsplit


def choose_target(given: str | None, *, hosts: Collection[str], otherwise: str) -> str:
    """`given` if it is an absolute http(s) URL on one of `hosts` (exact names, without ports), else `otherwise`."""
    if (
        not given or "\\" in given or not given.isprintable()
    ):  # browsers read a backslash as a slash
        return otherwise
    try:
        parts = urlsplit(given)
        is_ours = parts.scheme in {"http", "https"} and parts.hostname in hosts
    except ValueError:
        return otherwise
    return given if is_ours and "@" not in parts.netloc else otherwise
