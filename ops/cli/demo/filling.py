"""Fills the example of `carillon demo --open`, over the API as its people and apps would.

Safe to repeat, also after it was interrupted: what was sent has a key of its own (contract §2, Idempotency-Key, for a day),
and an example that is whole is left as it is.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from urllib.parse import urljoin

import httpx

from ingest.inbox.demo_people import MEI
from ops.api_client import ApiClient, is_loopback
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
from ops.cli.identity.callers import issue_user_token
from storage.model.errors import PermanentError, TransientError

# The title of everything that the demo writes in somebody's name: who answers can tell it from what a person typed.
TITLE = "演示 carillon demo"
_WAIT = {"Prefer": "wait=10"}
_KEY = "carillon-demo-open-1"
_KEY_REUSED = "KEY_REUSED"
# Buttons lead to a path of the demo app; on which port it is, its callback says when the button is pressed.
_TARGET = "http://127.0.0.1"
_UPLOAD_SECONDS = 30.0


class Filling:
    """The callers of the API at `url`; close it, or use it as a context manager."""

    def __init__(self, cast: Cast, url: str) -> None:
        self._cast = cast
        self._url = url
        self._stack = ExitStack()
        self._people: dict[int, ApiClient] = {}
        self._apps: dict[str, ApiClient] = {}

    def __enter__(self) -> "Filling":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

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

    def broadcast(self) -> bool:
        """Tell everyone about the new inbox, once; False if Mei was told already. Raises as `fill` does."""
        if self._has_notice(BROADCAST_APP, BROADCAST_TITLE):
            return False
        body = {"type": "NOTIFICATION", "is_broadcast": True}
        body |= {"title": BROADCAST_TITLE, "content": BROADCAST}
        self._send(self._as_app(BROADCAST_APP), body, key=f"{_KEY}-broadcast")
        return True

    def _has_notice(self, app_id: str, title: str) -> bool:
        app = self._cast.apps[app_id].app
        history = self._as_person(MEI.id).get(f"/messages/history/{-app.id}", limit=100)
        return any(one["title"] == title for one in history)

    def _send_all(self, events: Sequence[Event], *, begin: int) -> None:
        for number, event in enumerate(events, start=begin):
            caller, body = self._make_body(event)
            # The last one answers when all of them are in the histories: one lane, in order (contract §2, Order).
            is_last = number == begin + len(events) - 1
            self._send(caller, body, key=f"{_KEY}-{number}", headers=_WAIT if is_last else {})

    def _make_body(self, event: Event) -> tuple[ApiClient, dict[str, Any]]:
        if isinstance(event, Notice):
            return self._as_app(event.app_id), _make_notice(event)
        caller = self._as_person(event.sender.id)
        body = {"type": "MESSAGE", "title": TITLE, "receiver_id": event.receiver.id}
        if isinstance(event.content, Attachment):
            key = _upload(caller, event.content, url=self._url)
            kind = "IMAGE" if event.content.media_type.startswith("image/") else "FILE"
            return caller, {**body, "content": key, "content_type": kind}
        return caller, {**body, "content": event.content}

    def _send(
        self,
        caller: ApiClient,
        body: dict[str, Any],
        *,
        key: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send it once, however often it is tried. An upload has another key each time, so its repeat is of another body."""
        given = {"Idempotency-Key": key} | (headers or {})
        response = caller.request("POST", "/messages/", json=body, headers=given)
        if response.is_success or _read_code(response) == _KEY_REUSED:
            return
        detail = f"The example could not be sent: {response.status_code} {_read_detail(response)}"
        raise TransientError(detail) if _is_temporary(response) else PermanentError(detail)

    def _read(self, person_id: int, peer: int) -> None:
        caller = self._as_person(person_id)
        response = caller.request("PUT", f"/messages/conversations/{peer}/read")
        if not response.is_success:
            raise TransientError(f"The example could not be read: {_read_detail(response)}")

    def _as_person(self, id: int) -> ApiClient:
        if id not in self._people:
            client = ApiClient.of_user(self._url, issue_user_token(id))
            self._people[id] = self._stack.enter_context(client)
        return self._people[id]

    def _as_app(self, app_id: str) -> ApiClient:
        if app_id not in self._apps:
            secret = self._cast.apps[app_id].secret
            client = ApiClient.of_app(self._url, app_id, secret=secret)
            self._apps[app_id] = self._stack.enter_context(client)
        return self._apps[app_id]


def _find_last_title() -> str:
    """The title of the last notice of the example to Mei: it is there when everything before is."""
    return [one.title for one in NEW if isinstance(one, Notice) and one.receiver == MEI][-1]


def _find_other(line: Line) -> int:
    return line.sender.id if line.receiver == MEI else line.receiver.id


def _make_notice(notice: Notice) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "NOTIFICATION", "title": notice.title}
    body |= {"content": notice.content, "app_id": notice.app_id}
    body |= {"app_user_id": notice.receiver.account}
    if notice.path is not None:
        body |= {"auto_sso": True, "target_url": f"{_TARGET}{notice.path}"}
        body |= {"action_text": notice.action_text}
    return body


def _upload(caller: ApiClient, file: Attachment, *, url: str) -> str:
    """Upload the file as the client document says, and return the key to send (contract §4)."""
    content = file.make()
    asked = {"content_type": file.media_type, "filename": file.filename, "size": len(content)}
    granted = caller.post("/media/uploads", asked)
    way, key = granted["upload"], str(granted["key"])
    address = urljoin(f"{url}/api/v1/", way["url"])
    with httpx.Client(timeout=_UPLOAD_SECONDS, trust_env=not is_loopback(address)) as http:
        try:
            if "fields" in way:
                files = {"file": (file.filename, content, file.media_type)}
                done = http.request(way["method"], address, data=way["fields"], files=files)
            else:
                done = http.request(way["method"], address, content=content, headers=way["headers"])
        except httpx.HTTPError as error:
            raise TransientError(
                f"{file.filename} could not be uploaded ({type(error).__name__})."
            ) from error
    if not done.is_success:
        raise TransientError(f"{file.filename} could not be uploaded: {done.status_code}.")
    return key


def _is_temporary(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error


def _read_code(response: httpx.Response) -> str:
    try:
        return str(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _read_detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code}."
