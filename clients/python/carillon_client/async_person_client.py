"""The asynchronous client of a person."""

import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, Unpack

import httpx

from carillon_client.asynchronous import AsyncDriver
from carillon_client.calls import cards, conversations, messages, people, uploads
from carillon_client.exchange import call_json, make_request
from carillon_client.outgoing import CardState, PersonMessage
from carillon_client.results import AppAccount, Conversation, Message, Person, UploadedFile
from carillon_client.retries import USUAL, Retries
from carillon_client.socket.asynchronous import AsyncPersonSocket
from carillon_client.tokens import AsyncTokenAuth, AsyncTokenFunction, AsyncTokenSource
from carillon_client.transport import make_api_url


class AsyncPersonClient:
    """Carillon's API as a person. One event loop uses it. Close it, or use it as an async context manager.

    Every method raises a CarillonError for what fails, after the tries that `retries` allows.
    """

    def __init__(
        self,
        base_url: str,
        token: str | AsyncTokenFunction,
        *,
        retries: Retries = USUAL,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`base_url`: where Carillon is, such as `https://messages.example.com`. `timeout`: seconds a request may take.

        `token`: the person's, or a function that gives one (it may be a coroutine function). It is called for the first token and whenever one
        was refused; None from it ends the call with SignedOutError. `http`: your own httpx client, for certificates,
        proxies or limits; it stays open when this one is closed.
        """
        self._retries = retries
        self._url = make_api_url(base_url)
        self._tokens = AsyncTokenSource(token)
        self._driver = AsyncDriver(
            self._url, AsyncTokenAuth(self._tokens), timeout=timeout, http=http
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections; sockets are closed by themselves."""
        await self._driver.aclose()

    async def send(
        self,
        *,
        idempotency_key: str | None = None,
        wait: float | None = None,
        **message: Unpack[PersonMessage],
    ) -> Message:
        """Send a message to another person, once, however often it has to be tried.

        `idempotency_key`: a name of yours for the message (24 h); with it the same send may be repeated later. `wait`: the
        answer waits up to that many seconds (10 at most) until the message is in the history.
        """
        fields = messages.make_person_fields(message)
        call = messages.send(fields, self._retries, idempotency_key=idempotency_key, wait=wait)
        return await self._driver.run(call)

    async def get_message(self, message_id: int) -> Message:
        """A message that the person sent or has, with its `status`."""
        return await self._driver.run(messages.get_message(message_id, self._retries))

    async def recall(self, message_id: int) -> None:
        """Take a message of the person's back, everywhere; within 24 hours by default."""
        await self._driver.run(messages.recall(message_id, self._retries))

    def list_conversations(self) -> AsyncIterator[Conversation]:
        """All conversations, newest first; loaded as it is asked for more.

        One that moves up meanwhile may come again: its last line is the newer.
        """
        return self._driver.iterate(conversations.list_conversations(self._retries))

    def list_history(self, peer: int, *, before_id: int | None = None) -> AsyncIterator[Message]:
        """The messages with `peer` (a conversation's `user_id`), newest first; loaded as it is asked for more."""
        call = conversations.list_history(peer, self._retries, before_id=before_id)
        return self._driver.iterate(call)

    async def mark_read(self, peer: int, *, up_to_id: int | None = None) -> int:
        """Mark what the person has seen as read, up to that message; all of it without one. How many became read."""
        return await self._driver.run(
            conversations.mark_read(peer, self._retries, up_to_id=up_to_id)
        )

    async def count_unread(self) -> int:
        """How many messages are unread, of all conversations."""
        return await self._driver.run(conversations.count_unread(self._retries))

    def list_todos(
        self, *, state: CardState = "PENDING", before_id: int | None = None
    ) -> AsyncIterator[Message]:
        """The to-dos of that state in all conversations, newest first; loaded as it is asked for more."""
        return self._driver.iterate(
            cards.list_todos(self._retries, state=state, before_id=before_id)
        )

    async def count_todos(self) -> int:
        """How many to-dos are pending, of all conversations."""
        return await self._driver.run(cards.count_todos(self._retries))

    async def search_people(self, q: str, *, limit: int = 20) -> list[Person]:
        """Active people with `q` in their name, mobile or English name, up to `limit` (100 at most)."""
        return await self._driver.run(people.search_people(q, self._retries, limit=limit))

    async def list_launchpad_apps(self) -> list[AppAccount]:
        """The apps in which the person has an account."""
        return await self._driver.run(people.list_launchpad_apps(self._retries))

    async def get_callback_url(self, message_id: int) -> str:
        """Where a message's button leads, with a ticket that works once, for 60 seconds: ask anew for every press."""
        return await self._driver.run(people.get_callback_url(message_id, self._retries))

    async def sign_on(self, app_id: str) -> str:
        """Where to go to be signed on to an app, with a ticket that works once, for 60 seconds."""
        return await self._driver.run(people.sign_on(app_id, self._retries))

    async def upload(
        self, data: bytes, *, filename: str, content_type: str | None = None
    ) -> UploadedFile:
        """Upload a file; send its `key` as `content`, with its `content_type`. The media type is guessed from the name."""
        call = uploads.upload(data, self._retries, filename=filename, content_type=content_type)
        return await self._driver.run(call)

    def socket(
        self, *, since: str | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncPersonSocket:
        """The person's socket, to be used as an async context manager; it stays connected until the block ends.

        `since`: the `position` where an earlier socket ended; what happened after it comes first.
        """
        return AsyncPersonSocket(
            self._url, self._tokens, since=since, retries=self._retries, ssl_context=ssl_context
        )

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
