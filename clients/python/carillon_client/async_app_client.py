"""The asynchronous client of an app."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import httpx

from carillon_client.asynchronous import AsyncDriver
from carillon_client.calls import batch, broadcasts, cards, events, messages, people, uploads
from carillon_client.exchange import call_json, make_request
from carillon_client.outgoing import AppMessage, Change, Notice
from carillon_client.results import (
    AppEvent,
    BatchResult,
    BroadcastPreview,
    BroadcastReport,
    Message,
    UnreadPerson,
    UploadedFile,
    VerifiedPerson,
)
from carillon_client.retries import USUAL, Retries
from carillon_client.signing import AppSignature, SignatureVersion
from carillon_client.transport import make_api_url


class AsyncAppClient:
    """Carillon's API as an app. One event loop uses it. Close it, or use it as an async context manager.

    Every method raises a CarillonError for what fails, after the tries that `retries` allows.
    """

    def __init__(
        self,
        base_url: str,
        app_id: str,
        secret: str | bytes,
        *,
        retries: Retries = USUAL,
        timeout: float = 30.0,
        signature_version: SignatureVersion = 1,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`base_url`: where Carillon is, such as `https://messages.example.com`. `timeout`: seconds a request may take.

        `http`: your own httpx client, for certificates, proxies or limits; it stays open when this one is closed.
        """
        self.app_id = app_id
        self._retries = retries
        auth = AppSignature(app_id, secret, version=signature_version)
        self._driver = AsyncDriver(make_api_url(base_url), auth, timeout=timeout, http=http)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._driver.aclose()

    async def send(
        self,
        *,
        idempotency_key: str | None = None,
        wait: float | None = None,
        **message: Unpack[AppMessage],
    ) -> Message:
        """Send a message to one person, once, however often it has to be tried.

        `idempotency_key`: a name of yours for the matter (24 h); with it the same send may be repeated later, also by
        another process. `wait`: the answer waits up to that many seconds (10 at most) until the message is in the history.
        """
        fields = messages.make_app_fields(message, app_id=self.app_id)
        call = messages.send(fields, self._retries, idempotency_key=idempotency_key, wait=wait)
        return await self._driver.run(call)

    async def send_batch(
        self, entries: Iterable[AppMessage], *, idempotency_key: str | None = None
    ) -> list[BatchResult]:
        """Send any number of messages; what became of each, in order. One that is refused is refused alone.

        Raises BatchInterruptedError if the server stays away: call again with the same entries and the error's key.
        """
        call = batch.send_batch(
            entries, self._retries, app_id=self.app_id, idempotency_key=idempotency_key
        )
        return await self._driver.run(call)

    async def broadcast(
        self,
        *,
        user_ids: Sequence[int] | None = None,
        app_user_ids: Sequence[str] | None = None,
        idempotency_key: str | None = None,
        **notice: Unpack[Notice],
    ) -> Message:
        """Tell everyone who is active, or only these people (up to 100,000). The message's `id` is the broadcast's."""
        call = broadcasts.broadcast(
            notice,
            self._retries,
            user_ids=user_ids,
            app_user_ids=app_user_ids,
            idempotency_key=idempotency_key,
        )
        return await self._driver.run(call)

    async def preview_broadcast(
        self,
        *,
        user_ids: Sequence[int] | None = None,
        app_user_ids: Sequence[str] | None = None,
        **notice: Unpack[Notice],
    ) -> BroadcastPreview:
        """How many people `broadcast` with the same arguments would be for now. Nothing is sent."""
        call = broadcasts.preview_broadcast(
            notice, self._retries, user_ids=user_ids, app_user_ids=app_user_ids
        )
        return await self._driver.run(call)

    def follow_broadcast(
        self, broadcast_id: int, *, every: float = 1.0
    ) -> AsyncIterator[BroadcastReport]:
        """A report now and whenever something has changed, until the broadcast has come to rest; asks `every` seconds.

        While the server is busy or away it goes on asking.
        """
        return self._driver.iterate(
            broadcasts.follow_broadcast(broadcast_id, self._retries, every=every)
        )

    async def get_broadcast(self, broadcast_id: int) -> BroadcastReport:
        """How far it has come."""
        return await self._driver.run(broadcasts.get_broadcast(broadcast_id, self._retries))

    async def list_broadcasts(
        self, *, limit: int = 20, before_id: int | None = None, status: str | None = None
    ) -> list[BroadcastReport]:
        """The app's broadcasts, the last accepted first, up to `limit`; those after `before_id` in that order."""
        call = broadcasts.list_broadcasts(
            self._retries, limit=limit, before_id=before_id, status=status
        )
        return await self._driver.run(call)

    def list_unread(self, broadcast_id: int) -> AsyncIterator[UnreadPerson]:
        """Everyone who has the broadcast and has not read it, by user id; loaded as it is asked for more."""
        return self._driver.iterate(broadcasts.list_unread(broadcast_id, self._retries))

    async def cancel_broadcast(self, broadcast_id: int) -> BroadcastReport:
        """Stop it: who has it keeps it, nobody else gets it."""
        return await self._driver.run(broadcasts.cancel_broadcast(broadcast_id, self._retries))

    async def get_message(self, message_id: int) -> Message:
        """A message that the app sent, with its `status`."""
        return await self._driver.run(messages.get_message(message_id, self._retries))

    async def change_message(
        self,
        message_id: int,
        *,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        **change: Unpack[Change],
    ) -> Message:
        """Change a card or a broadcast that the app has sent, once; everyone who has it is shown the new form.

        RefusedError with the code `VERSION_CHANGED`: it has another version than `expected_version`; with
        `MESSAGE_IS_RECALLED`: it was taken back. `idempotency_key`: as for `send`.
        """
        call = cards.change_message(
            message_id,
            change,
            self._retries,
            expected_version=expected_version,
            idempotency_key=idempotency_key,
        )
        return await self._driver.run(call)

    async def change_by_ref(
        self,
        ref: str,
        *,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
        **change: Unpack[Change],
    ) -> int:
        """Change all cards that the app has sent with this `ref` (up to 1,000), together, once; how many they are.

        NotFoundError: there is none. If one has another version than `expected_version`, none is changed.
        """
        call = cards.change_by_ref(
            ref,
            change,
            self._retries,
            expected_version=expected_version,
            idempotency_key=idempotency_key,
        )
        return await self._driver.run(call)

    async def recall(self, message_id: int) -> None:
        """Take a message or a broadcast back from everyone; a broadcast in the background."""
        await self._driver.run(messages.recall(message_id, self._retries))

    async def verify_ticket(self, ticket: str) -> VerifiedPerson:
        """The person who comes to your callback page with `ticket`. NotFoundError: it is not worth anything (any more)."""
        return await self._driver.run(people.verify_ticket(ticket, self._retries))

    def events(self, *, after: int = 0, wait: int = 20) -> AsyncIterator[AppEvent]:
        """What becomes of what the app sent, in order, for ever: each event behind the number `after`.

        Keep the `seq` of the last event that you have dealt with: asking for more says that you have those before. `wait`: for how
        many seconds a question stays open while nothing happens (30 at most), less than the client's `timeout`. While the
        server is away it goes on asking.
        """
        return self._driver.iterate(events.follow_events(after, wait=wait))

    async def upload(
        self, data: bytes, *, filename: str, content_type: str | None = None
    ) -> UploadedFile:
        """Upload a file; send its `key` as `content`, with its `content_type`. The media type is guessed from the name."""
        call = uploads.upload(data, self._retries, filename=filename, content_type=content_type)
        return await self._driver.run(call)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Any call below `/api/v1`; its JSON, None without a body. Tried again if it is safe: not a POST without a key."""
        request = make_request(method, path, query=query, json=json, headers=headers)
        return await self._driver.run(call_json(request, self._retries))
