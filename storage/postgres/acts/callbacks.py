"""Acts upon what an app is told: which events, at which URL, signed with which key (contract §9)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from storage.keys.vault import Vault
from storage.model.app_event import AppCallback, AppEventType
from storage.model.caller import App
from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, NotFound
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.acts import apps as app_acts
from storage.postgres.acts.callback_urls import check_url
from storage.postgres.app_events import callback_secrets, callbacks


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
    known_url, known_events = (before.url, before.events) if before else (None, ())
    url = known_url if changes.url is None else changes.url or None
    events = known_events if changes.events is None else changes.events
    _check_events(events)
    if changes.url:
        check_url(changes.url, allowed=allowed)
    after = callbacks.set_callback(connection, id, url=url, events=tuple(dict.fromkeys(events)))
    secret = None
    if url is None and changes.new_secret:
        raise CallerError("An app that only pulls has no key.")
    if url is not None and (changes.new_secret or not callback_secrets.has_secret(connection, id)):
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
        raise NotFound(f"App {app.app_id} is told nothing.", code=ErrorCode.NOT_FOUND)
    audit.record(
        connection,
        actor,
        act="app.callback-remove",
        target=f"app {app.app_id}",
        before=_describe(before),
    )
    return app


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
