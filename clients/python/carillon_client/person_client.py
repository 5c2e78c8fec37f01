"""The blocking client of a person."""

import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Self, Unpack

import httpx

from carillon_client.blocking import Driver
from carillon_client.calls import cards, conversations, messages, people, uploads
from carillon_client.exchange import call_json, make_request
from carillon_client.outgoing import CardState, PersonMessage
from carillon_client.results import AppAccount, Conversation, Message, Person, UploadedFile
from carillon_client.retries import USUAL, Retries
from carillon_client.socket.blocking import PersonSocket
from carillon_client.tokens import TokenAuth, TokenFunction, TokenSource
from carillon_client.transport import make_api_url


class PersonClient:
    """Carillon's API as a person. Threads may share it. Close it, or use it as a context manager.

    Every method raises a CarillonError for what fails, after the tries that `retries` allows.
    """

    def __init__(
        self,
        base_url: str,
        token: str | TokenFunction,
        *,
        retries: Retries = USUAL,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        """`base_url`: where Carillon is, such as `https://messages.example.com`. `timeout`: seconds a request may take.

        `token`: the person's, or a function that gives one. It is called for the first token and whenever one
        was refused; None from it ends the call with SignedOutError. `http`: your own httpx client, for certificates,
        proxies or limits; it stays open when this one is closed.
        """
        self._retries = retries
        self._url = make_api_url(base_url)
        self._tokens = TokenSource(token)
        self._driver = Driver(self._url, TokenAuth(self._tokens), timeout=timeout, http=http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections; sockets are closed by themselves."""
        self._driver.close()

    def send(
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
        return self._driver.run(call)

    def get_message(self, message_id: int) -> Message:
        """A message that the person sent or has, with its `status`."""
        return self._driver.run(messages.get_message(message_id, self._retries))

    def recall(self, message_id: int) -> None:
        """Take a message of the person's back, everywhere; within 24 hours by default."""
        self._driver.run(messages.recall(message_id, self._retries))

    def list_conversations(self) -> Iterator[Conversation]:
        """All conversations, newest first; loaded as it is asked for more.

        One that moves up meanwhile may come again: its last line is the newer.
        """
        return self._driver.iterate(conversations.list_conversations(self._retries))

    def list_history(self, peer: int, *, before_id: int | None = None) -> Iterator[Message]:
        """The messages with `peer` (a conversation's `user_id`), newest first; loaded as it is asked for more."""
        call = conversations.list_history(peer, self._retries, before_id=before_id)
        return self._driver.iterate(call)

    def mark_read(self, peer: int, *, up_to_id: int | None = None) -> int:
        """Mark what the person has seen as read, up to that message; all of it without one. How many became read."""
        return self._driver.run(conversations.mark_read(peer, self._retries, up_to_id=up_to_id))

    def count_unread(self) -> int:
        """How many messages are unread, of all conversations."""
        return self._driver.run(conversations.count_unread(self._retries))

    def list_todos(
        self, *, state: CardState = "PENDING", before_id: int | None = None
    ) -> Iterator[Message]:
        """The to-dos of that state in all conversations, newest first; loaded as it is asked for more."""
        return self._driver.iterate(
            cards.list_todos(self._retries, state=state, before_id=before_id)
        )

    def count_todos(self) -> int:
        """How many to-dos are pending, of all conversations."""
        return self._driver.run(cards.count_todos(self._retries))

    def search_people(self, q: str, *, limit: int = 20) -> list[Person]:
        """Active people with `q` in their name, mobile or English name, up to `limit` (100 at most)."""
        return self._driver.run(people.search_people(q, self._retries, limit=limit))

    def list_launchpad_apps(self) -> list[AppAccount]:
        """The apps in which the person has an account."""
        return self._driver.run(people.list_launchpad_apps(self._retries))

    def get_callback_url(self, message_id: int) -> str:
        """Where a message's button leads, with a ticket that works once, for 60 seconds: ask anew for every press."""
        return self._driver.run(people.get_callback_url(message_id, self._retries))

    def sign_on(self, app_id: str) -> str:
        """Where to go to be signed on to an app, with a ticket that works once, for 60 seconds."""
        return self._driver.run(people.sign_on(app_id, self._retries))

    def upload(
        self, data: bytes, *, filename: str, content_type: str | None = None
    ) -> UploadedFile:
        """Upload a file; send its `key` as `content`, with its `content_type`. The media type is guessed from the name."""
        call = uploads.upload(data, self._retries, filename=filename, content_type=content_type)
        return self._driver.run(call)

    def socket(
        self, *, since: str | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> PersonSocket:
        """The person's socket, to be used as a context manager; it stays connected until the block ends.

        `since`: the `position` where an earlier socket ended; what happened after it comes first.
        """
        return PersonSocket(
            self._url, self._tokens, since=since, retries=self._retries, ssl_context=ssl_context
        )

    def request(
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
        return self._driver.run(call_json(request, self._retries))
