"""Events that Carillon pushes to your endpoint: are they Carillon's, and what do they say (Standard Webhooks 1.0)."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from carillon_client.errors import WebhookError
from carillon_client.results import AppEvent


@dataclass(frozen=True, kw_only=True)
class PushedEvent(AppEvent):
    """An event as it was pushed. `webhook_id` is the same when it comes again: keep it, and do nothing the second time."""

    webhook_id: str


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: str | Iterable[str],
    tolerance: float = 300.0,
    clock: Callable[[], float] = time.time,
) -> PushedEvent:
    """The event in a request to your endpoint, if it is signed with one of `secrets` (`whsec_…`).

    `body` is the request's body as it came, not JSON that was read and written again. `tolerance`: how many seconds its time may
    differ from yours. Raises WebhookError: answer 400, and do nothing of what it says. While a secret is rotated, both work.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    id, timestamp = lower.get("webhook-id", ""), lower.get("webhook-timestamp", "")
    if not id or not timestamp.isascii() or not timestamp.isdigit():
        raise WebhookError("It lacks webhook-id or webhook-timestamp.", code="NOT_SIGNED")
    if abs(clock() - int(timestamp)) > tolerance:
        raise WebhookError("Its time is too far from this machine's.", code="CLOCK_SKEW")
    signed = f"{id}.{timestamp}.".encode() + body
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    wanted = [hmac.new(_decode(secret), signed, hashlib.sha256).digest() for secret in known]
    given = list(_read_signatures(lower.get("webhook-signature", "")))
    if not any(hmac.compare_digest(one, other) for one in wanted for other in given):
        raise WebhookError("None of its signatures fits.", code="NOT_SIGNED")
    try:
        raw = json.loads(body)
    except ValueError as error:
        raise WebhookError("Its body is not JSON.", code="NOT_CARILLON") from error
    return PushedEvent.from_json(raw | {"webhook_id": id} if isinstance(raw, dict) else raw)


def _read_signatures(text: str) -> Iterable[bytes]:
    """Those of version 1; others are of a newer version, and passed over."""
    for one in text.split(" "):
        version, _, signature = one.partition(",")
        if version == "v1":
            try:
                yield base64.b64decode(signature, validate=True)
            except (binascii.Error, ValueError):
                continue


def _decode(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("A secret begins with whsec_, and Base64 follows.")
    return key
