"""Log lines for people and for programs; neither has a credential in it."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from storage.process.logs import LONGEST, SECRET, LogSettings, make_formatter, redact

pytestmark = pytest.mark.quick

PROGRAM = """
import logging, os
from storage.process.logs import REQUEST_ID, LogSettings, configure
from storage.settings import load
configure(load(LogSettings, os.environ), process="ingest")
logging.getLogger("uvicorn.error").info("Started.")
logging.getLogger("a.library").warning("Target /x?token=abc.def&a=1")
log = logging.getLogger("ingest.http.middleware")
log.debug("Not seen.")
REQUEST_ID.set("r-1")
log.info("Hello %s.", "世界")
try:
    raise RuntimeError("Bearer sesame")
except RuntimeError:
    log.exception("Failed.")
log.warning("Its own.", extra={"request_id": "r-2"})
"""


SERVED = """
import logging, os, sys
from uvicorn import Config
Config("the app", access_log=sys.argv[1] == "on")
from storage.process.logs import LogSettings, configure
from storage.settings import load
for _ in range(2):
    configure(load(LogSettings, os.environ), process="ingest")
access = logging.getLogger("uvicorn.access")
access.info("GET /x?token=SECRET %s", "heard" if access.hasHandlers() else "unheard")
"""


def run_program(program: str = PROGRAM, *arguments: str, **settings: str) -> list[str]:
    """What a process writes to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_is_one_object_a_line() -> None:
    """Every JSON line is one object, with its traceback, and with the id of the current request unless it names another."""
    library, hello, failed, own = map(json.loads, run_program(CARILLON_LOG_FORMAT="json"))
    assert library["message"] == "Target /x?token=***&a=1"
    assert (hello["level"], hello["logger"], hello["process"]) == (
        "INFO",
        "ingest.http.middleware",
        "ingest",
    )
    assert (hello["message"], hello["request_id"]) == ("Hello 世界.", "r-1")
    assert "RuntimeError: Bearer ***" in failed["exc_info"]
    assert own["request_id"] == "r-2"
    assert all(line["time"].startswith("20") for line in (library, hello, failed, own))


def test_people_get_lines() -> None:
    """A line for people has time in UTC, level, process, logger, text and request id; a traceback follows it."""
    lines = run_program()
    assert lines[0].endswith("Z WARNING ingest a.library: Target /x?token=***&a=1")
    assert lines[1].endswith("Z INFO ingest ingest.http.middleware: Hello 世界. [r-1]")
    assert lines[-2] == "RuntimeError: Bearer ***"
    assert lines[-1].endswith("Its own. [r-2]")


def test_the_level_is_of_our_own_lines() -> None:
    """Level debug shows our own debug lines, and not those of uvicorn."""
    lines = run_program(CARILLON_LOG_LEVEL="debug")
    assert any("Not seen." in line for line in lines)
    assert not any("Started." in line for line in lines)
    assert len(run_program(CARILLON_LOG_LEVEL="error")) == len(run_program()) - 2


def test_an_access_log_that_is_switched_off_stays_off() -> None:
    """An access log that is switched off stays off; one that is on has our form."""
    assert run_program(SERVED, "off") == []
    (line,) = run_program(SERVED, "on")
    assert line.endswith("Z INFO ingest uvicorn.access: GET /x?token=*** heard")


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/ws/messages?token=SECRET&since=1",
        "ticket=SECRET",
        "Authorization: Bearer SECRET",
        "cookie carillon_console=SECRET; a=b",
        "'x-sign': 'SECRET'",
        "GET /x%3Ftoken%3DSECRET HTTP/1.1",
        "POST /x?a=b&ticket=SECRET",
    ],
)
def test_credentials_are_blotted_out(text: str) -> None:
    """Credentials are replaced wherever they stand in a line."""
    secret = "5f" * 32
    assert redact(text.replace("SECRET", secret)) == text.replace("SECRET", "***")


def test_what_is_no_credential_stays() -> None:
    """Ids, short digests and words are not taken for credentials."""
    text = "message 115943995056130, revision 0123456789abcdef, token of user 7"
    assert redact(text) == text


# Of each pattern what it would go through again and again, if it could.
WORST = ("eyJ", "eyJ.", "eyJa.eyJ", "-eyJ", "eyJ-", "token=", "ticket=", "bearer ", "Bearer  ", "carillon_console=", "5f", "5fg", "a" * 63 + "g", "a=b&", "e")  # fmt: skip


def seconds_for(work: Callable[[], object]) -> float:
    """CPU of the shortest of several tries: what else the machine does only makes them longer."""
    tries = []
    for _ in range(15):
        began = time.thread_time()
        work()
        tries.append(time.thread_time() - began)
    return min(tries)


@pytest.mark.parametrize("part", WORST)
def test_looking_for_credentials_takes_time_in_proportion_to_the_text(part: str) -> None:
    """Eight times the text takes about eight times as long, not 64 times, whatever a stranger writes."""
    short, long = ((part * size)[:size] for size in (8 * 1024, 64 * 1024))
    ratio = seconds_for(lambda: SECRET.sub("***", long)) / seconds_for(
        lambda: SECRET.sub("***", short)
    )
    assert ratio < 32


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_long_line_is_cut_before_credentials_are_looked_for(form: str) -> None:
    """Of a long line the beginning and the end stay, and the number of characters between; no part of a cut credential does."""
    secret = "eyJ" + "5f" * 4 * LONGEST
    text = f"It began. {'x ' * LONGEST} token={secret} {secret} {'y ' * LONGEST} It ended."
    record = logging.LogRecord("ingest", logging.INFO, "", 0, text, (), None)
    record.request_id = "r-1"
    line = make_formatter(LogSettings(format=form), process="ingest").format(record)
    assert "It began." in line and "It ended." in line
    assert "characters left out" in line
    assert len(line) < 2 * LONGEST
    assert secret[:16] not in line


@pytest.mark.parametrize("before", [" ", "=", "x", "/"])
@pytest.mark.parametrize("place", range(-40, 41, 8))
def test_what_a_cut_leaves_of_a_credential_is_not_shown(place: int, before: str) -> None:
    """No part of a credential is shown, wherever the cuts fall in it: one missing digit would be guessed in sixteen tries."""
    secret = "5f" * 32
    head = " " * (LONGEST * 3 // 4 - 32 + place - len(before)) + before + secret
    tail = secret + " " * (LONGEST // 4 - 32 + place)
    line = redact(head + " " * LONGEST + tail)
    assert "5f5f5f5f" not in line


def test_a_credential_before_a_quote_leaves_json_whole() -> None:
    """A credential before a quote leaves the line valid JSON."""
    record = logging.LogRecord("ingest", logging.INFO, "", 0, 'token=abc" and more', (), None)
    record.request_id = ""
    line = make_formatter(LogSettings(format="json"), process="ingest").format(record)
    assert json.loads(line)["message"] == 'token=***" and more'
