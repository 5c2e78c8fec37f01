"""The stack that tests of the TypeScript clients run against."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from ops.local.polling import wait_until

ROOT = Path(__file__).parents[2]


class Driver:
    """A live stack in a process of its own, asked as Node asks it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.clients.live_stack"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about = self._read()

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to one command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do} | arguments) + "\n")
        self.process.stdin.flush()
        return self._read()

    def end(self) -> int:
        """Close its stdin; how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=60)

    def _read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


def test_it_answers_until_stdin_ends_and_leaves_nothing() -> None:
    """It says what there is, does what it is asked, tells what it cannot do, and ends with everything that it started."""
    driver = Driver()
    url, (me, *_) = driver.about["url"], driver.about["people"]
    children = psutil.Process(driver.process.pid).children(recursive=True)
    headers = {"Authorization": f"Bearer {me['token']}"}
    assert driver.ask("send", receiver_id=me["id"])["ok"]["receiver_id"] == me["id"]
    assert driver.ask("kill_gateway") == {"ok": None}
    unread = httpx.get(f"{url}/api/v1/messages/unread-count", headers=headers)
    assert unread.json() == {"total": 1, "todo": 0}
    assert driver.ask("disable", id=me["id"]) == {"ok": None}
    assert wait_until(
        lambda: (
            httpx.get(f"{url}/api/v1/messages/unread-count", headers=headers).status_code == 401
        ),
        seconds=10,
    )
    assert "KeyError" in driver.ask("dance")["error"]
    assert driver.end() == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_it_ends_with_everything_when_its_parent_is_killed() -> None:
    """A test runner that is killed closes no pipe in good order and waits for nothing: all the same nothing stays."""
    runner = "import subprocess, sys; stack = subprocess.Popen([sys.executable, '-m', 'tests.clients.live_stack'], stdin=subprocess.PIPE); stack.wait()"
    with subprocess.Popen(
        [sys.executable, "-c", runner], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert json.loads(parent.stdout.readline())["url"]
        family = psutil.Process(parent.pid).children(recursive=True)
        folders = {one.cwd() for one in family if "carillon-test-" in one.cwd()}
        os.kill(parent.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert folders
    assert [folder for folder in folders if Path(folder).exists()] == []
