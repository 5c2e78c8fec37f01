"""Events of an app by the SDK: asked for, and pushed to the example's endpoint."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from tests.clients.live_stack import LiveStack
from workers.callbacks.signing import build_headers

EXAMPLES = Path(__file__).parents[3] / "clients/python/examples"
SECRET = "whsec_bm90IGEgc2VjcmV0LCBidXQgbG9uZyBlbm91Z2g="


def test_an_app_asks_who_read_what_it_sent(
    live: LiveStack, app: Any, my: Any, me: dict[str, Any]
) -> None:
    """A read is an event within moments, while the question is open; what comes after its number is asked for next."""
    live.ask_for_events()
    for _ in range(2):
        sent = app.send(receiver_id=me["id"], title="审批通知", content="请处理", wait=10)
        my.mark_read(-sent.app_id)
        events = app.events(wait=5)
        for event in events:
            assert event.time.tzinfo is not None
            if event.type == "message.read" and sent.id in [one["message_id"] for one in event.data["reads"]]:  # fmt: skip
                break
        later = app.send(receiver_id=me["id"], title="审批通知", content="再次", wait=10)
        after = app.events(after=event.seq, wait=5)
        my.mark_read(-sent.app_id)
        following = next(iter(after))
        assert following.seq > event.seq
        assert later.id in [one["message_id"] for one in following.data["reads"]]


def test_the_examples_endpoint_does_each_event_once() -> None:
    """It takes what is signed, says so with 2xx, does it once however often it comes, and refuses the rest."""
    port = find_free_port()
    command = [sys.executable, "-m", "uvicorn", "starlette_events:app", "--port", str(port)]
    environ = os.environ | {"APP_CALLBACK_SECRET": SECRET}
    url = f"http://127.0.0.1:{port}/events"
    reads = [{"message_id": 9, "user_id": 1, "app_user_id": "zs"}]
    event = {"seq": 1, "type": "message.read", "time_ms": 1, "data": {"reads": reads}}
    body = json.dumps(event).encode()
    with subprocess.Popen(command, cwd=EXAMPLES, env=environ, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        try:
            assert wait_until(lambda: is_up(url), seconds=60)
            headers = build_headers("evt_1", body, timestamp=int(time.time()), secrets=[SECRET])
            for _ in range(2):
                assert httpx.post(url, content=body, headers=headers).status_code == 204
            assert httpx.post(url, content=body + b" ", headers=headers).status_code == 400
        finally:
            process.terminate()
        assert process.stderr is not None
        assert process.stderr.read().count("Message 9 was read by zs.") == 1


def is_up(url: str) -> bool:
    """Whether it refuses what is not signed."""
    try:
        return httpx.post(url, timeout=5).status_code == 400
    except httpx.TransportError:
        return False
