"""Fills the example of `carillon demo --open`, over the API as its people and apps would.

Safe to repeat, also after it was interrupted: what was sent has a key of its own (contract §2, Idempotency-Key, for a day),
and an example that is whole is left as it is.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

from carillon_client import USUAL, AppClient, InvalidError, PersonClient
from ingest.inbox.demo_people import MEI
from ops.api_errors import translate_errors
from ops.cli.demo.cast import Cast
from ops.cli.demo.company import CALENDAR
from ops.cli.demo.story import (
    BEFORE,
    BROADCAST,
    BROADCAST_APP,
    BROADCAST_TITLE,
    NEW,
    Attachment,
    Event,
    Line,
    Notice,
)
from ops.cli.identity.callers import open_app, open_person
from storage.model.errors import PermanentError
from storage.model.message import CardState

# The title of everything that the demo writes in somebody's name: who answers can tell it from what a person typed.
TITLE = "演示 carillon demo"
_KEY = "carillon-demo-open-1"
_KEY_REUSED = "KEY_REUSED"
# Buttons lead to a path of the demo app; on which port it is, its callback says when the button is pressed.
_TARGET = "http://127.0.0.1"
# The notice that is looked for is among so many of its app's.
_RECENT = 100


class Filling:
    """The callers of the API at `url`; close it, or use it as a context manager."""

    def __init__(self, cast: Cast, url: str) -> None:
        self._cast = cast
        self._url = url
        self._stack = ExitStack()
        self._people: dict[int, PersonClient] = {}
        self._apps: dict[str, AppClient] = {}

    def __enter__(self) -> "Filling":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @translate_errors()
    def fill(self) -> bool:
        """Send what is missing; False if the example was there already. Raises CallerError, TransientError, PermanentError."""
        if self._has_notice(CALENDAR, _find_last_title()):
            return False
        self._send_all(BEFORE, begin=0)
        for peer in sorted({_find_other(one) for one in BEFORE if isinstance(one, Line)}):
            self._read(MEI.id, peer)
            self._read(peer, MEI.id)
        for app_id in sorted({one.app_id for one in BEFORE if isinstance(one, Notice)}):
            self._read(MEI.id, -self._cast.apps[app_id].app.id)
        self._send_all(NEW, begin=len(BEFORE))
        return True

    @translate_errors()
    def broadcast(self) -> bool:
        """Tell everyone about the new inbox, once; False if Mei was told already. Raises as `fill` does."""
        if self._has_notice(BROADCAST_APP, BROADCAST_TITLE):
            return False
        self._as_app(BROADCAST_APP).broadcast(
            title=BROADCAST_TITLE, content=BROADCAST, idempotency_key=f"{_KEY}-broadcast"
        )
        return True

    def _has_notice(self, app_id: str, title: str) -> bool:
        app = self._cast.apps[app_id].app
        history = self._as_person(MEI.id).list_history(-app.id)
        return any(one.title == title for one in islice(history, _RECENT))

    def _send_all(self, events: Sequence[Event], *, begin: int) -> None:
        for number, event in enumerate(events, start=begin):
            caller, fields = self._make_fields(event)
            # The last one answers when all of them are in the histories: one lane, in order (contract §2, Order).
            is_last = number == begin + len(events) - 1
            self._send(caller, fields, key=f"{_KEY}-{number}", wait=10 if is_last else None)

    def _make_fields(self, event: Event) -> tuple[AppClient | PersonClient, dict[str, Any]]:
        if isinstance(event, Notice):
            return self._as_app(event.app_id), _make_notice(event)
        caller = self._as_person(event.sender.id)
        fields = {"title": TITLE, "receiver_id": event.receiver.id}
        if isinstance(event.content, Attachment):
            one = event.content
            file = caller.upload(one.make(), filename=one.filename, content_type=one.media_type)
            return caller, {**fields, "content": file.key, "content_type": file.content_type}
        return caller, {**fields, "content": event.content}

    def _send(
        self,
        caller: AppClient | PersonClient,
        fields: dict[str, Any],
        *,
        key: str,
        wait: float | None = None,
    ) -> None:
        """Send it once, however often it is tried. An upload has another key each time, so its repeat is of another body."""
        try:
            caller.send(**fields, idempotency_key=key, wait=wait)
        except InvalidError as error:
            if error.code != _KEY_REUSED:
                raise PermanentError(f"The example could not be sent: {error}") from error

    def _read(self, person_id: int, peer: int) -> None:
        self._as_person(person_id).mark_read(peer)

    def _as_person(self, id: int) -> PersonClient:
        if id not in self._people:
            client = open_person(self._url, id, retries=USUAL)
            self._people[id] = self._stack.enter_context(client)
        return self._people[id]

    def _as_app(self, app_id: str) -> AppClient:
        if app_id not in self._apps:
            secret = self._cast.apps[app_id].secret
            client = open_app(self._url, app_id, secret=secret, retries=USUAL)
            self._apps[app_id] = self._stack.enter_context(client)
        return self._apps[app_id]


def _find_last_title() -> str:
    """The title of the last notice of the example to Mei: it is there when everything before is."""
    return [one.title for one in NEW if isinstance(one, Notice) and one.receiver == MEI][-1]


def _find_other(line: Line) -> int:
    return line.sender.id if line.receiver == MEI else line.receiver.id


def _make_notice(notice: Notice) -> dict[str, Any]:
    fields: dict[str, Any] = {"title": notice.title, "content": notice.content}
    fields |= {"app_user_id": notice.receiver.account}
    if notice.path is not None:
        fields |= {"auto_sso": True, "target_url": f"{_TARGET}{notice.path}"}
        fields |= {"action_text": notice.action_text}
    if notice.state is not None:
        fields |= {"state": notice.state, "state_text": notice.state_text}
    if notice.state is CardState.PENDING:
        fields |= {"ref": notice.path}
    return fields
