"""The headers of a callback as Standard Webhooks 1.0 has them: its name, its time and its signatures. Pure.

Any library that knows Standard Webhooks verifies them with the `whsec_…` secret that the app was given (contract §9).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


def build_headers(
    webhook_id: str, body: bytes, *, timestamp: int, secrets: Sequence[str]
) -> dict[str, str]:
    """The three headers of a call with `body`.

    `webhook_id` names the event: it stays the same however often the call is repeated. `timestamp`: Unix seconds of this
    try. There is a signature for each of `secrets`, in their order, so that an app that knows one of them is content while its
    secret is rotated. Raises ValueError if there is no secret or one has another form.
    """
    if not secrets:
        raise ValueError("A callback needs a secret.")
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_sign(signed, secret) for secret in secrets),
    }


def _sign(signed: bytes, secret: str) -> str:
    digest = hmac.new(_decode(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _decode(secret: str) -> bytes:
    """The key that `whsec_` and its Base64 stand for. What is wrong with one is not repeated: it is a secret."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"A secret of a callback begins with {_PREFIX}.")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("A secret of a callback is Base64.") from None
    if not key:
        raise ValueError("A secret of a callback is not empty.")
    return key
