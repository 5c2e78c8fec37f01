"""`verify_webhook` takes what Carillon signs, and nothing else."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from carillon_client import NotCarillonError, WebhookError, verify_webhook
from workers.callbacks.signing import build_headers

pytestmark = pytest.mark.quick

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n] * 32)).decode() for n in (1, 2))
EVENT = {"seq": 7, "type": "broadcast.done", "time_ms": 1773800000123, "data": {"total": 3}}
BODY = json.dumps(EVENT).encode()


def sign(body: bytes = BODY, *, at: float | None = None, secrets: tuple[str, ...] = (NEW, OLD)) -> dict[str, str]:  # fmt: skip
    """The headers that the worker would send."""
    moment = time.time() if at is None else at
    return build_headers("evt_1", body, timestamp=int(moment), secrets=secrets)


@pytest.mark.parametrize("secrets", [OLD, NEW, (OLD,), (NEW, OLD)])
def test_what_the_worker_signs_is_taken(secrets: str | tuple[str, ...]) -> None:
    """With any one of the secrets that the worker signs with; the names of headers may be in capitals."""
    headers = {name.title(): value for name, value in sign().items()}
    event = verify_webhook(BODY, headers, secrets=secrets)
    assert (event.seq, event.type, event.data, event.webhook_id) == (7, "broadcast.done", {"total": 3}, "evt_1")  # fmt: skip
    assert event.time.isoformat() == "2026-03-18T02:13:20.123000+00:00"


def test_what_the_published_package_signs_is_taken() -> None:
    """Their signature and ours are one."""
    now = datetime.now(UTC)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp()))}
    signature = Webhook(OLD).sign("evt_1", now, BODY.decode())
    assert verify_webhook(BODY, headers | {"webhook-signature": signature}, secrets=OLD).seq == 7


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize(
    "value", [None, "", "x", "9" * 30, "v1,", "v1,AAAA", "v2,AAAA v1a,AAAA", "²"]
)
def test_a_header_that_is_missing_or_changed_is_refused(name: str, value: str | None) -> None:
    """Whatever stands in a header instead, the event is not taken."""
    headers = sign()
    del headers[name]
    with pytest.raises(WebhookError):
        verify_webhook(BODY, headers if value is None else headers | {name: value}, secrets=OLD)


def test_a_changed_body_another_secret_and_an_old_call_are_refused() -> None:
    """The signature covers the body, another secret makes another one, and what is older than the tolerance is refused."""
    with pytest.raises(WebhookError, match="None of its signatures"):
        verify_webhook(BODY.replace(b"7", b"8"), sign(), secrets=OLD)
    with pytest.raises(WebhookError, match="None of its signatures"):
        verify_webhook(BODY, sign(secrets=(NEW,)), secrets=OLD)
    for seconds in (-400, 400):
        with pytest.raises(WebhookError, match="Its time"):
            verify_webhook(BODY, sign(at=time.time() + seconds), secrets=OLD)
    verify_webhook(BODY, sign(at=time.time() - 400), secrets=OLD, tolerance=1000)


def test_what_is_signed_and_no_event_is_not_carillon() -> None:
    """A body that is no JSON, no object, or lacks a field is named as such."""
    for body in (b"", b"{", b"[]", b"{}"):
        with pytest.raises((WebhookError, NotCarillonError)):
            verify_webhook(body, sign(body), secrets=OLD)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64"])
def test_a_secret_of_another_form_is_a_mistake_of_ones_own(secret: str) -> None:
    """It is said at once, and not taken for a wrong signature."""
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(BODY, sign(), secrets=secret)
