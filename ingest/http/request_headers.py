"""What a request asks for in its headers: `Idempotency-Key`, and `Prefer: wait` (contract §2)."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta

from ingest.http import json_body
from ingest.http.body import PARSED_IN_THREAD_BYTES
from storage.model.caller import Caller
from storage.model.errors import invalid
from storage.model.send import IdempotencyKey

# Contract §2.
KEY_LENGTH = 255
LONGEST_WAIT = timedelta(seconds=10)

# RFC 7240 §2 and §4.3: preferences are separated by commas, one may have parameters after `;`.
_HANDLING = re.compile(rb'\s*handling\s*=\s*"?(strict|lenient)"?\s*(?:;.*)?', re.IGNORECASE)
_WAIT = re.compile(rb'\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:;.*)?', re.IGNORECASE)


async def parse_idempotency_key(
    headers: Mapping[bytes, bytes], *, caller: Caller, body: bytes, of: str = "send"
) -> IdempotencyKey | None:
    """The caller's key, bound to the JSON value in `body`; None without the header.

    `of` is the kind of request: the same key of one kind is not the key of another. Raises Invalid for a key that is
    empty, too long or holds a NUL.
    """
    key = headers.get(b"idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LENGTH or b"\0" in key:
        raise invalid("Idempotency-Key", f"Must be 1 to {KEY_LENGTH} characters.", where="header")
    value = (
        json_body.fingerprint(body)
        if len(body) <= PARSED_IN_THREAD_BYTES
        else await asyncio.to_thread(json_body.fingerprint, body)
    )
    digest = hashlib.sha256(of.encode() + value).digest()
    return IdempotencyKey(caller.key, key.decode("latin-1"), digest)


def prefers_strict(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the caller wants to be refused what would otherwise be ignored (RFC 7240 §4.4); the first word counts."""
    given = headers.get(b"prefer")
    if given is None:
        return False
    found = (_HANDLING.fullmatch(preference) for preference in given.split(b","))
    first = next((match for match in found if match), None)
    return first is not None and first[1].lower() == b"strict"


def parse_wait(headers: Mapping[bytes, bytes]) -> timedelta | None:
    """How long the caller prefers to wait, ten seconds at most; None without a preference that can be read."""
    given = headers.get(b"prefer")
    if given is None:
        return None
    for preference in given.split(b","):
        match = _WAIT.fullmatch(preference)
        if match:
            return min(timedelta(seconds=int(match[1])), LONGEST_WAIT)
    return None
