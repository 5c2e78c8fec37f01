"""Acts of an operator upon themselves: signing in to the console, and out of it."""

from datetime import timedelta

from sqlalchemy import Connection

from storage.model.operator import Actor
from storage.postgres import audit, console_sessions

_TARGET = "console"


def sign_in(connection: Connection, actor: Actor, *, id: str, lifetime: timedelta) -> None:
    """Open the session `id` of the actor. Raises NotSignedIn if they were disabled meanwhile."""
    console_sessions.begin(connection, id, name=actor.name, lifetime=lifetime)
    audit.record(connection, actor, act="console.sign-in", target=_TARGET)


def sign_out(connection: Connection, actor: Actor, *, id: str) -> None:
    """End the session `id`, for good; safe to repeat. Raises NotSignedIn if the actor was disabled meanwhile."""
    audit.record(connection, actor, act="console.sign-out", target=_TARGET)
    console_sessions.end(connection, id)
