"""The headers of a callback, verified by the package that Standard Webhooks publishes for receivers."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from workers.callbacks.signing import build_headers

pytestmark = [pytest.mark.quick, pytest.mark.pure]

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
keys = st.binary(min_size=24, max_size=64)
ids = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
bodies = st.dictionaries(st.text(), st.text() | st.integers(), max_size=5).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode()
)


def test_the_example_of_the_specification_comes_out() -> None:
    """The secret, id, time and body that Standard Webhooks gives as an example have the signature that stands there."""
    headers = build_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        timestamp=1614265330,
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(id=ids, body=bodies, key=keys, other=keys)
def test_the_receiver_of_standard_webhooks_verifies(
    id: str, body: bytes, key: bytes, other: bytes
) -> None:
    """An app that knows any one of the live secrets verifies the call and gets its body, with the published package."""
    secrets = ["whsec_" + base64.b64encode(one).decode() for one in (key, other)]
    headers = build_headers(id, body, timestamp=int(time.time()), secrets=secrets)
    assert all(Webhook(secret).verify(body, headers) == json.loads(body) for secret in secrets)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_whatever_is_changed_no_longer_verifies(changed: str) -> None:
    """The signature covers the id, the time and the body, and another secret makes another one."""
    now = int(time.time())
    headers = build_headers("42", b'{"a":1}', timestamp=now, secrets=[SECRET])
    body = b'{"a":2}' if changed == "body" else b'{"a":1}'
    if changed in headers:
        headers[changed] = {"webhook-id": "43", "webhook-timestamp": str(now + 1)}[changed]
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER if changed == "secret" else SECRET).verify(body, headers)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "c2VjcmV0", "whsec_abc"])
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    """What is no `whsec_` secret signs nothing, and the error does not show it."""
    with pytest.raises(ValueError, match="callback") as caught:
        build_headers("1", b"{}", timestamp=1, secrets=[secret])
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)


def test_without_a_secret_there_are_no_headers() -> None:
    """A call that nobody could verify is not made."""
    with pytest.raises(ValueError, match="needs a secret"):
        build_headers("1", b"{}", timestamp=1, secrets=[])
