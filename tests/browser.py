"""A page in a real browser: headless Chromium, driven over its DevTools socket."""

import base64
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from ops.local.polling import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


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

    def prepare(self, script: str) -> None:
        """Run JavaScript at the beginning of every page from now on, before the page's own."""
        self._call("Page.enable", session=self._session)
        self._call("Page.addScriptToEvaluateOnNewDocument", session=self._session, source=script)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression; None while the page cannot evaluate it."""
        found = self._call(
            "Runtime.evaluate", session=self._session, expression=f"JSON.stringify({expression})"
        )
        text = found["result"].get("value")
        return None if text is None or "exceptionDetails" in found else json.loads(text)

    def does(self, expression: str, *, seconds: float = 20.0) -> None:
        """Wait until a JavaScript expression is true; fails with the page's text if it never is."""
        assert wait_until(lambda: self.value(f"Boolean({expression})"), seconds=seconds), (
            expression,
            self.value("document.body.innerText"),
        )

    def run(self, script: str) -> None:
        """Run JavaScript."""
        self._call("Runtime.evaluate", session=self._session, expression=script)

    def wait_for(self, script: str) -> Any:
        """What a promise comes to, as JSON; fails with its error."""
        found = self._call(
            "Runtime.evaluate",
            session=self._session,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press_key(self, key: str, *, code: int, text: str = "") -> None:
        """Press a key and let it go, as the keyboard does; what has the focus gets it."""
        for kind in ("keyDown", "keyUp"):
            press = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            if text and kind == "keyDown":
                press["text"] = text
            self._call("Input.dispatchKeyEvent", session=self._session, **press)

    def move_mouse(self, kind: str, *, x: float, y: float) -> None:
        """Press the mouse's button at a place ("mousePressed"), or let it go ("mouseReleased")."""
        place = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        self._call("Input.dispatchMouseEvent", session=self._session, **place)

    def resize(self, width: int, height: int) -> None:
        """Make the window as large as this."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", session=self._session, **size)

    def prefer(self, *, scheme: str) -> None:
        """Prefer "dark" or "light" colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", session=self._session, features=features)

    def picture(self, file: Path, *, width: int, height: int) -> None:
        """Write what is seen in a window of this size as PNG."""
        self.resize(width, height)
        made = self._call("Page.captureScreenshot", session=self._session, format="png")
        file.write_bytes(base64.b64decode(made["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """An empty page in a browser of its own, whose profile is in `folder`; ended with the block."""
    port_file = folder / "DevToolsActivePort"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-background-networking", "--disable-dev-shm-usage"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    with (folder / "log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        assert wait_until(lambda: _has_port(port_file), seconds=30), (folder / "log").read_text()
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


@contextmanager
def serve_folder(folder: Path, *, host: str = "127.0.0.1") -> Iterator[str]:
    """The origin of a server that shows the files of `folder`, on a port of its own, until the end of the block."""
    handler = partial(_QuietFiles, directory=str(folder))
    with ThreadingHTTPServer((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _QuietFiles(SimpleHTTPRequestHandler):
    """Files without a log."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def _has_port(file: Path) -> bool:
    return file.exists() and "\n" in file.read_text()
