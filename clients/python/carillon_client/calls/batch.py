"""Batches of any length: split into requests that the server takes, each safe to repeat."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from carillon_client.calls.messages import make_app_fields, make_body
from carillon_client.errors import BatchInterruptedError, CarillonError, RefusedError
from carillon_client.exchange import Call, Request, call_json, write_json
from carillon_client.refusals import make_error
from carillon_client.results import BatchResult, Message
from carillon_client.retries import Retries

MOST_ENTRIES = 500
# Half of what the server takes by default; a server that takes less says so, and chunks are halved.
MOST_BYTES = 4 * 1024 * 1024
_HEAD, _TAIL = b'{"messages":[', b"]}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Entries that go in one request, as JSON; `first` is the index of the first one in the whole batch."""

    first: int
    entries: tuple[bytes, ...]

    def make_request(self, key: str) -> Request:
        """The request; its key names the entries, so that the same split gives the same keys."""
        last = self.first + len(self.entries) - 1
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{key}/{self.first}-{last}",
        }
        body = _HEAD + b",".join(self.entries) + _TAIL
        return Request("POST", "/messages/batch", headers=headers, body=body)

    def halve(self) -> "tuple[Chunk, Chunk]":
        """Two chunks with these entries."""
        middle = len(self.entries) // 2
        return (
            Chunk(self.first, self.entries[:middle]),
            Chunk(self.first + middle, self.entries[middle:]),
        )


def split(
    entries: Iterable[bytes], *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES
) -> Iterator[Chunk]:
    """Chunks of the entries in their order: as few as go in order; one that is too long alone is alone."""
    first, gathered, size = 0, list[bytes](), 0
    for entry in entries:
        # A comma stands between two entries.
        grown = size + len(entry) + bool(gathered)
        if gathered and (
            len(gathered) == most_entries or grown + len(_HEAD) + len(_TAIL) > most_bytes
        ):
            yield Chunk(first, tuple(gathered))
            first, gathered, grown = first + len(gathered), [], len(entry)
        gathered.append(entry)
        size = grown
    if gathered:
        yield Chunk(first, tuple(gathered))


def send_batch(
    messages: Iterable[Mapping[str, Any]],
    retries: Retries,
    *,
    app_id: str,
    idempotency_key: str | None = None,
) -> Call[list[BatchResult]]:
    """Send all of them, and return what became of each, in order. Raises BatchInterruptedError if it cannot be finished."""
    key = idempotency_key or str(uuid.uuid4())
    entries = (write_json(make_body(make_app_fields(one, app_id=app_id))) for one in messages)
    results: list[BatchResult] = []
    for chunk in split(entries):
        waiting = [chunk]
        while waiting:
            current = waiting.pop()
            try:
                results += yield from _send_chunk(current, retries, key=key)
            except CarillonError as error:
                if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    waiting += reversed(current.halve())
                else:
                    raise BatchInterruptedError(error, results=[*results], key=key) from error
    return results


def _send_chunk(chunk: Chunk, retries: Retries, *, key: str) -> Call[list[BatchResult]]:
    try:
        answer = yield from call_json(chunk.make_request(key), retries)
    except RefusedError as error:
        # An entry that no request can hold is refused alone, as one that is too long for a message is.
        if error.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or len(chunk.entries) > 1:
            raise
        return [BatchResult(chunk.first, error=error)]
    return [_read_entry(one, chunk.first + number) for number, one in enumerate(answer["results"])]


def _read_entry(entry: Mapping[str, Any], index: int) -> BatchResult:
    if entry["status"] == HTTPStatus.OK:
        return BatchResult(index, message=Message.from_json(entry["message"]))
    error = make_error(entry["status"], entry)
    return BatchResult(index, error=error)
