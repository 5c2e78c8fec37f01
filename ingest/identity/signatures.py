"""What an app signs, in both versions, and the form of the headers around it (contract §1). Pure.

Version 1 covers the app's id and the time. Version 2 covers the whole request: its lines have the words of RFC 9421
(HTTP Message Signatures) for the same components, without that RFC's structured fields, so that every language can
write them with string concatenation.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from storage.model.error_codes import ErrorCode
from storage.model.errors import NotSignedIn

VERSION_HEADER = b"x-sign-version"

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")
_NONCE = re.compile(rb"[A-Za-z0-9._~-]{16,64}")
# RFC 9530, with one digest only. Of SHA-256 the Base64 is 44 characters, one of them padding.
_DIGEST = re.compile(rb"sha-256=:([A-Za-z0-9+/]{43}=):")
_VERSIONS = {b"": 1, b"1": 1, b"2": 2}
_NO_BODY = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class AppSignature:
    """An app's signature as it came: of well-formed headers, of nobody knows yet whom.

    `timestamp` is in Unix seconds; `nonce` is empty in version 1.
    """

    version: int
    timestamp: int
    nonce: str
    signed_text: bytes
    signature: bytes

    def is_made_with(self, secrets: Iterable[bytes]) -> bool:
        """Whether one of the secrets made it. Each secret is compared, in constant time."""
        matches = [
            hmac.compare_digest(
                hmac.digest(secret, self.signed_text, hashlib.sha256).hex().encode(), self.signature
            )
            for secret in secrets
        ]
        return any(matches)


def read_timestamp(headers: Mapping[bytes, bytes]) -> int:
    """The Unix seconds in X-Timestamp; raises NotSignedIn if a header that every version needs is missing, or it has no digits."""
    for header, name in (("X-Timestamp", b"x-timestamp"), ("X-Sign", b"x-sign")):
        if not headers.get(name):
            raise _make_missing(header)
    if not _TIMESTAMP.fullmatch(headers[b"x-timestamp"]):
        raise make_malformed("X-Timestamp must be Unix seconds, in digits.")
    return int(headers[b"x-timestamp"])


def read_signature(headers: Mapping[bytes, bytes], scope: Scope) -> AppSignature:
    """The signature of a request whose timestamp was read; raises NotSignedIn for what would be wrong for any app."""
    version = _VERSIONS.get(headers.get(VERSION_HEADER, b""))
    if version is None:
        raise make_malformed("X-Sign-Version must be 1 or 2.")
    if not _SIGNATURE.fullmatch(headers[b"x-sign"]):
        raise make_malformed("X-Sign must be 64 hexadecimal digits, in lower case.")
    app_id, timestamp = headers[b"x-app-id"], headers[b"x-timestamp"]
    nonce = b""
    if version == 1:
        text = b"app_id=%b&timestamp=%b" % (app_id, timestamp)
    else:
        nonce = _read_nonce(headers)
        text = make_signed_text(
            scope, app_id=app_id, timestamp=timestamp, nonce=nonce, digest=_read_digest(headers)
        )
    return AppSignature(version, int(timestamp), nonce.decode(), text, headers[b"x-sign"])


def make_signed_text(
    scope: Scope, *, app_id: bytes, timestamp: bytes, nonce: bytes, digest: bytes
) -> bytes:
    """What version 2 signs: the request as it came. `digest`: the SHA-256 of its body.

    The parameters of the query are sorted as bytes and not decoded: frameworks write them in any order.
    """
    query = b"&".join(sorted(scope["query_string"].split(b"&")))
    lines = (
        b"@method: " + scope["method"].encode(),
        b"@path: " + scope["raw_path"],
        b"@query: " + query,
        b"content-digest: sha-256=:%b:" % base64.b64encode(digest),
        b"created: " + timestamp,
        b"keyid: " + app_id,
        b"nonce: " + nonce,
    )
    return b"\n".join(lines)


def check_body(headers: Mapping[bytes, bytes], body: bytes) -> None:
    """Raise NotSignedIn if a request that is signed in version 2 has another body than its signature covers."""
    if headers.get(VERSION_HEADER) == b"2" and hashlib.sha256(body).digest() != _read_digest(
        headers
    ):
        raise NotSignedIn(
            "Content-Digest is not that of the body that came.", code=ErrorCode.BODY_NOT_SIGNED
        )


def make_malformed(detail: str) -> NotSignedIn:
    """The error for a header in the wrong form."""
    return NotSignedIn(detail, code=ErrorCode.HEADER_MALFORMED)


def _read_nonce(headers: Mapping[bytes, bytes]) -> bytes:
    nonce = headers.get(b"x-nonce")
    if not nonce:
        raise _make_missing("X-Nonce")
    if not _NONCE.fullmatch(nonce):
        raise make_malformed("X-Nonce must be 16 to 64 letters, digits and . _ ~ -")
    return nonce


def _read_digest(headers: Mapping[bytes, bytes]) -> bytes:
    """The SHA-256 that Content-Digest says; without the header that of an empty body."""
    given = headers.get(b"content-digest")
    if given is None:
        return _NO_BODY
    found = _DIGEST.fullmatch(given)
    if found is None:
        raise make_malformed("Content-Digest must be sha-256=:<Base64 of 32 bytes>:")
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise make_malformed("Content-Digest must be sha-256=:<Base64 of 32 bytes>:") from error


def _make_missing(header: str) -> NotSignedIn:
    return NotSignedIn(f"The header {header} is missing.", code=ErrorCode.HEADER_MISSING)
