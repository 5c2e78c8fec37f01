"""Acts upon what an app is told: which events, at which URL, signed with which key (contract §9)."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from sqlalchemy import Connection

from storage.keys.vault import Vault
from storage.model.app_event import AppCallback, AppEventType
from storage.model.caller import App
from storage.model.errors import CallerError, NotFound
from storage.model.networks import is_in_networks, is_public
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.acts import apps as app_acts
from storage.postgres.app_events import callback_secrets, callbacks

_LONGEST_URL = 2048
# Printable ASCII without what parsers read differently.
_PLAIN = re.compile(r"[!-~]+")
_ODD = re.compile(r"[\\\"<>^`{|}]")


@dataclass(frozen=True, slots=True)
class CallbackChanges:
    """What is to change of what an app is told; None: it stays. An empty `url`: it only pulls.

    `new_secret`: its calls are signed with a new key, and with the one before until `old_ends_at` (None: for a day).
    """

    url: str | None = None
    events: tuple[str, ...] | None = None
    new_secret: bool = False
    old_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangedCallback:
    """What an app is told now. `secret`: the `whsec_…` key that was just made, which nobody can read again."""

    app: App
    callback: AppCallback
    secret: str | None


def change(
    connection: Connection,
    actor: Actor,
    *,
    id: int,
    changes: CallbackChanges,
    vault: Vault,
    allowed: tuple[str, ...] = (),
) -> ChangedCallback:
    """Change what the app with this integer id is told. With its first URL it gets a key.

    `allowed`: networks that may be called beside the public Internet (CARILLON_CALLBACK_ALLOWED). Raises NotFound, and
    CallerError for a URL that would never be called, an event that there is none, or none at all.
    """
    app = app_acts.find(connection, id)
    before = callbacks.find_callback(connection, id, for_update=True)
    url = (before and before.url) if changes.url is None else changes.url or None
    events = (before.events if before else ()) if changes.events is None else changes.events
    _check_events(events)
    if changes.url:
        check_url(changes.url, allowed=allowed)
    after = callbacks.set_callback(connection, id, url=url, events=tuple(dict.fromkeys(events)))
    secret = None
    if url is None and changes.new_secret:
        raise CallerError("An app that only pulls has no key.")
    if url is not None and (
        changes.new_secret or not callback_secrets.has_secret(connection, id)
    ):
        secret = callback_secrets.rotate_callback_secret(
            connection, id, vault=vault, old_ends_at=changes.old_ends_at
        )
    audit.record(
        connection,
        actor,
        act="app.callback",
        target=f"app {app.app_id}",
        before=None if before is None else _describe(before),
        after=_describe(after) | ({"secret": "new"} if secret else {}),
    )
    return ChangedCallback(app, after, secret)


def remove(connection: Connection, actor: Actor, *, id: int) -> App:
    """Tell the app nothing more, and forget its events and keys. Raises NotFound, also if it is told nothing."""
    app = app_acts.find(connection, id)
    before = callbacks.remove_callback(connection, id)
    if before is None:
        raise NotFound(f"App {app.app_id} is told nothing.")
    audit.record(
        connection,
        actor,
        act="app.callback-remove",
        target=f"app {app.app_id}",
        before=_describe(before),
    )
    return app


def check_url(url: str, *, allowed: tuple[str, ...]) -> None:
    """Raise CallerError if the URL would never be called: not https (http in `allowed` networks), or a closed address.

    Names are resolved when they are called, and the address is judged then.
    """
    sentence = _find_fault(url, allowed)
    if sentence:
        raise CallerError(f"“{url[:100]}” {sentence}")


def _find_fault(url: str, allowed: tuple[str, ...]) -> str:
    if len(url) > _LONGEST_URL or not _PLAIN.fullmatch(url) or _ODD.search(url):
        return "is not a URL in plain ASCII, such as https://oa.example.com/events."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL, such as https://oa.example.com/events."
    if parts.scheme not in ("https", "http") or not host or port == 0:
        return "is not an absolute https URL."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must not have a user, a password or a fragment."
    address = _parse_address(host)
    is_allowed = address is not None and is_in_networks(address, allowed)
    if address is not None and not is_allowed and not is_public(address):
        return "leads to an address that is not public, and that CARILLON_CALLBACK_ALLOWED does not list."
    if parts.scheme == "http" and not (is_allowed or (address is None and allowed)):
        return "must be https; http is for networks in CARILLON_CALLBACK_ALLOWED alone."
    return ""


def _parse_address(host: str) -> str | None:
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)


def _check_events(events: tuple[str, ...]) -> None:
    known = ", ".join(AppEventType)
    if not events:
        raise CallerError(f"Say which events the app is told of: {known}.")
    for event in events:
        if event not in set(AppEventType):
            raise CallerError(f"“{event[:40]}” is no event; there are {known}.")


def _describe(callback: AppCallback) -> dict[str, object]:
    values = asdict(callback)
    return {name: values[name] for name in ("url", "status")} | {"events": list(callback.events)}
