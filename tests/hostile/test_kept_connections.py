"""Connections that a proxy keeps to the running stack: none is closed while a request is on its way to it."""

import json
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from ops.local.polling import wait_until
from ops.local.ports import find_free_port
from storage.postgres.database import make_blocking_engine
from storage.settings import DatabaseSettings, load
from tests.builders import add_people
from tests.hostile.proxies import needs_nginx, nginx
from tests.ops.http.app import Wire
from tests.services import Stack, bearer

SENDER, RECEIVER = 481_001, 481_002
AT_ONCE = 44
# uvicorn closes a connection by default that has been idle for so long.
USUAL_IDLE_SECONDS = 5.0
POOL = """
upstream web {{ server 127.0.0.1:{web}; keepalive {at_once}; keepalive_timeout 60s; }}
"""
EVERYTHING = """
location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection ""; }
"""


@needs_nginx
def test_no_send_is_lost_in_the_pool_of_nginx(stack: Stack, tmp_path: Path) -> None:
    """Of 176 sends on kept connections none is 502, though half come when uvicorn would usually have closed them.

    Web is held up in that moment, as it may be on a busy machine: it finds requests on connections that were idle for
    too long by the usual time, and nginx repeats no POST.
    """
    add_both_people(stack)
    port, web = find_free_port(), stack.environ["CARILLON_PORT"]
    blocks = {"upstreams": POOL.format(web=web, at_once=AT_ONCE), "locations": EVERYTHING}
    statuses: list[int] = []
    with nginx(tmp_path, port=port, **blocks, probe="/healthz"), ExitStack() as opened:
        wires = [opened.enter_context(Wire(port)) for _ in range(AT_ONCE)]
        for _ in range(2):
            send_everywhere(wires, stack)
            statuses += [wire.answer().status for wire in wires]
            answered = time.monotonic()
            wait_until(partial(is_past, answered + USUAL_IDLE_SECONDS - 0.5), seconds=10)
            stack["web"].freeze()
            try:
                send_everywhere(wires, stack)
                wait_until(partial(is_past, answered + USUAL_IDLE_SECONDS + 0.1), seconds=10)
            finally:
                stack["web"].thaw()
            statuses += [wire.answer().status for wire in wires]
    assert statuses == [200] * 4 * AT_ONCE, (tmp_path / "nginx.log").read_text()


def add_both_people(stack: Stack) -> None:
    """Add the sender and the receiver to the record."""
    engine = make_blocking_engine(load(DatabaseSettings, stack.environ), application_name="hostile")
    with engine.begin() as connection:
        add_people(connection, (SENDER, RECEIVER))
    engine.dispose()


def send_everywhere(wires: list[Wire], stack: Stack) -> None:
    """Ask for one send on every connection, and wait for no answer."""
    content = {"type": "MESSAGE", "title": "t", "content": "c", "receiver_id": RECEIVER}
    body = json.dumps(content).encode()
    [authorization] = bearer(stack.environ, SENDER).values()
    head = b"POST /api/v1/messages/ HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\nContent-Length: %d\r\n\r\n"
    for wire in wires:
        wire.send(head % (authorization.encode(), len(body)), body)


def is_past(instant: float) -> bool:
    """Whether the monotonic clock is at `instant` or past it."""
    return time.monotonic() >= instant
