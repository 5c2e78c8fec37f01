"""A page in a real browser: the client document's sample, through restarts of the gateway."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from ops.embedded import EmbeddedValkey
from storage.bus import Bus
from tests.push_gateway.running import Gateway, to_both, token, wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = Path(__file__).with_name("page.html")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


class Page:
    """A page in a headless Chromium, driven over its DevTools socket."""

    def __init__(self, devtools: ClientConnection) -> None:
        self._devtools = devtools
        self._number = 0
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def _call(self, method: str, *, session: str = "", **params: Any) -> dict[str, Any]:
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        self._devtools.send(json.dumps(command))
        while True:
            answer = json.loads(self._devtools.recv(timeout=20))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def go(self, url: str) -> None:
        """Open a URL."""
        self._call("Page.navigate", session=self._session, url=url)

    def value(self, expression: str) -> Any:
        """A JavaScript value; None while the page has no such thing."""
        found = self._call(
            "Runtime.evaluate", session=self._session, expression=f"JSON.stringify({expression})"
        )
        text = found["result"].get("value")
        return None if text is None or "exceptionDetails" in found else json.loads(text)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """An empty page in a browser of its own, which ends with the test."""
    port_file = tmp_path / "DevToolsActivePort"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-background-networking", "--disable-dev-shm-usage"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={tmp_path}", "about:blank"]
    with (tmp_path / "log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, seconds=30)
        port, path = port_file.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as devtools:
            yield Page(devtools)
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()


def test_a_page_misses_nothing_when_the_gateway_restarts(
    page: Page, bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    """SIGTERM, then SIGKILL, with messages before, while nobody serves, and after."""
    gateway = Gateway(valkey.url, tmp_path / "gateway.log").start()
    sent: list[int] = []

    def send(count: int) -> None:
        events = [to_both(len(sent) + n, 1, 2) for n in range(1, count + 1)]
        sent.extend(event.message.id for event in events)
        bus.publish(events)

    try:
        page.go(f"{PAGE.as_uri()}#{gateway.url(token=token(2))}")
        wait_for(lambda: page.value("ws.readyState") == 1)
        send(3)
        wait_for(lambda: page.value("seen") == sent)
        for end in (gateway.stop, gateway.kill):
            send(2)
            end()
            send(2)
            gateway.start()
            send(2)
            wait_for(lambda: page.value("seen") == sent)
        assert page.value("codes")[0] == 1012  # and 1006 for every try while nobody served
    finally:
        gateway.kill()
