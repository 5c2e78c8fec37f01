"""What the SDK does when the server is busy, away or strange: seen on a small real server that says so."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carillon_client import (
    BatchInterruptedError,
    CarillonError,
    ClockSkewError,
    InvalidError,
    NoAnswerError,
    NotCarillonError,
    NotSignedInError,
    Retries,
    SignedOutError,
    TemporaryError,
)
from ops.local.ports import find_free_port
from tests.clients.python.scripted_server import BREAK, Reply, ScriptedServer
from tests.clients.python.shells import Shell

pytestmark = pytest.mark.quick

QUICK = Retries(tries=4, first_pause=0.01, longest_pause=0.02, longest_wait=5.0)
MESSAGE = {
    "id": 7, "sender_id": None, "receiver_id": 2, "app_id": 1, "app_name": "a", "type": "NOTIFICATION",
    "content_type": "TEXT", "title": "t", "content": "c", "filename": None, "action_url": None,
    "action_text": None, "is_read": False, "created_at": "2026-03-18T10:10:00",
    "created_at_ms": 1773828600000, "read_at": None, "read_at_ms": None, "client_ref": None,
}  # fmt: skip
SENT = Reply(200, MESSAGE)


def refuse(status: int, code: str, detail: Any = "No.", **headers: str) -> Reply:
    """An error of the API."""
    body = {"detail": detail, "code": code, "request_id": "r-1"}
    return Reply(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """The server; `replies` are set by the test."""
    with ScriptedServer().run() as running:
        yield running


@pytest.fixture
def app(server: ScriptedServer, shell: Shell) -> Any:
    """An app's client of that server, which does not wait long."""
    return shell.app(server.url, "leave", "secret", retries=QUICK)


def send(client: Any) -> Any:
    """Any send."""
    return client.send(receiver_id=2, title="t", content="c")


def change_card(app: Any) -> int:
    """Any change of one card; its new version."""
    version: int = app.change_message(7, state="DONE").version
    return version


def change_matter(app: Any) -> int:
    """Any change of a matter's cards; how many there are."""
    count: int = app.change_by_ref("leave-1", state="DONE")
    return count


CHANGES = [
    (change_card, Reply(200, MESSAGE | {"version": 2})),
    (change_matter, Reply(200, {"updated_count": 2})),
]


@pytest.mark.parametrize(("change", "reply"), CHANGES, ids=["one", "by-ref"])
def test_a_change_is_tried_again_with_the_same_key(
    app: Any, server: ScriptedServer, change: Callable[[Any], int], reply: Reply
) -> None:
    """After a fault or a broken connection a change comes again under its key, so that it is made once."""
    server.replies = [BREAK, refuse(503, "DATABASE_AWAY", Retry_After="0"), reply]
    assert change(app) == 2
    assert len(server.seen) == 3
    assert len({one.headers["idempotency-key"] for one in server.seen}) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        refuse(429, "RATE_LIMITED", Retry_After="0"),
        refuse(503, "DATABASE_AWAY", Retry_After="0"),
        refuse(500, "INTERNAL"),
        refuse(408, "REQUEST_TIMEOUT"),
        Reply(502, b"<html>Bad Gateway</html>"),
        BREAK,
    ],
    ids=["429", "503", "500", "408", "502", "broken"],
)
def test_a_send_is_tried_again_with_the_same_key(
    app: Any, server: ScriptedServer, trouble: Reply | None
) -> None:
    """After a limit, a fault, a proxy's error or a broken connection the send comes again, with its key, and is answered."""
    server.replies = [trouble, trouble, SENT]
    assert send(app).id == 7
    assert len(server.seen) == 3
    assert len({one.headers["idempotency-key"] for one in server.seen}) == 1
    assert len({str(one.body) for one in server.seen}) == 1


def test_retry_after_is_waited_for(app: Any, server: ScriptedServer) -> None:
    """The next try comes no sooner than `Retry-After` says."""
    server.replies = [refuse(429, "RATE_LIMITED", Retry_After="1"), SENT]
    began = time.monotonic()
    send(app)
    assert time.monotonic() - began >= 1.0


def test_a_wait_that_is_too_long_is_the_callers(app: Any, server: ScriptedServer) -> None:
    """A limit of a day is not slept through: the error comes at once and says when."""
    server.replies = [refuse(429, "RATE_LIMITED", Retry_After="3600"), SENT]
    with pytest.raises(TemporaryError) as caught:
        send(app)
    assert (caught.value.status, caught.value.code) == (429, "RATE_LIMITED")
    assert (caught.value.retry_after, caught.value.request_id) == (3600.0, "r-1")
    assert len(server.seen) == 1


def test_the_last_failure_is_raised(app: Any, server: ScriptedServer) -> None:
    """After the last try the error says what it was, and there were as many tries as allowed."""
    server.replies = [refuse(503, "QUEUE_FULL", Retry_After="0")]
    with pytest.raises(TemporaryError, match="QUEUE_FULL"):
        send(app)
    assert len(server.seen) == QUICK.tries


def test_what_cannot_work_is_not_repeated(app: Any, server: ScriptedServer) -> None:
    """A 422 is raised at the first answer, with the fields that are wrong."""
    detail = [{"loc": ["body", "title"], "msg": "is too long", "type": "too_long"}]
    server.replies = [refuse(422, "VALIDATION", detail)]
    with pytest.raises(InvalidError, match="title: is too long") as caught:
        send(app)
    assert caught.value.fields[0].loc == ("body", "title")
    assert len(server.seen) == 1


def test_a_ticket_that_may_have_arrived_is_not_sent_again(app: Any, server: ScriptedServer) -> None:
    """A ticket works once: after a broken connection its exchange is not repeated, after a 429 it is."""
    server.replies = [BREAK]
    with pytest.raises(NoAnswerError):
        app.verify_ticket("x")
    assert len(server.seen) == 1
    person = {"user_id": 2, "app_user_id": "a", "mapped_email": None, "name": "n"}
    server.seen.clear()
    server.replies = [refuse(429, "RATE_LIMITED", Retry_After="0"), Reply(200, person)]
    assert app.verify_ticket("x").name == "n"


def test_nobody_there_is_said(shell: Shell) -> None:
    """If nobody listens, the error says where, after all tries."""
    url = f"http://127.0.0.1:{find_free_port()}"
    with pytest.raises(NoAnswerError, match=f"{url} does not answer"):
        send(shell.app(url, "leave", "secret", retries=QUICK))


def test_a_wrong_clock_is_said(app: Any, server: ScriptedServer) -> None:
    """When the signature's time is refused, the error has the server's time and by how much this clock is off."""
    said = {
        "detail": "X-Timestamp differs.",
        "code": "CLOCK_SKEW",
        "server_time": int(time.time()) - 900,
    }
    server.replies = [Reply(401, said)]
    with pytest.raises(ClockSkewError) as caught:
        send(app)
    assert caught.value.server_time == said["server_time"]
    assert caught.value.offset == pytest.approx(900, abs=20)


def test_what_is_not_the_api_is_said(app: Any, server: ScriptedServer) -> None:
    """A page of something else, also with 200, is no answer and no Python error."""
    for reply in (Reply(200, b"<html>"), Reply(404, b"<html>"), Reply(302, b""), Reply(200, {})):
        server.replies = [reply]
        with pytest.raises(NotCarillonError):
            send(app)


def test_a_batch_that_stops_says_where(app: Any, server: ScriptedServer) -> None:
    """When the server stays away in the middle, the results so far and the key to go on with are in the error."""
    answered = Reply(200, {"results": [{"status": 200, "message": MESSAGE}] * 500})
    server.replies = [answered, refuse(503, "QUEUE_FULL", Retry_After="0")]
    entries = [{"receiver_id": 2, "title": "t", "content": str(number)} for number in range(600)]
    with pytest.raises(BatchInterruptedError) as caught:
        app.send_batch(entries)
    assert len(caught.value.results) == 500
    first, second = [one.headers["idempotency-key"] for one in server.seen][:2]
    assert first == f"{caught.value.idempotency_key}/0-499"
    assert second == f"{caught.value.idempotency_key}/500-599"


def test_a_batch_that_is_too_long_for_a_server_is_halved(app: Any, server: ScriptedServer) -> None:
    """A server that takes less gets less at a time; an entry that it takes in no request is refused alone."""
    too_long = refuse(413, "BODY_TOO_LARGE")
    one = Reply(200, {"results": [{"status": 200, "message": MESSAGE}]})
    server.replies = [too_long, one, too_long]
    entries = [{"receiver_id": 2, "title": "t", "content": str(number)} for number in range(2)]
    sent, refused = app.send_batch(entries)
    assert sent.message.id == 7
    assert refused.error.status == 413
    assert refused.index == 1


def test_a_refused_token_is_replaced_once(server: ScriptedServer, shell: Shell) -> None:
    """A token that is refused is asked for anew, once a request; what is refused then is raised."""
    given = iter(["old", "new", "newer"])
    person = shell.person(server.url, lambda: next(given), retries=QUICK)
    server.replies = [refuse(401, "TOKEN_EXPIRED"), Reply(200, {"total": 3})]
    assert person.count_unread() == 3
    assert [one.headers["authorization"] for one in server.seen] == ["Bearer old", "Bearer new"]
    server.replies, server.seen = [refuse(401, "NOT_SIGNED_IN")], []
    with pytest.raises(NotSignedInError):
        person.count_unread()
    assert [one.headers["authorization"] for one in server.seen] == ["Bearer new", "Bearer newer"]


def test_nobody_signed_in_sends_nothing(server: ScriptedServer, shell: Shell) -> None:
    """When the token function has no token, the call ends with SignedOutError, and no request is made."""
    with pytest.raises(SignedOutError):
        shell.person(server.url, lambda: None).count_unread()
    assert server.seen == []


def test_every_error_is_of_one_family(app: Any, server: ScriptedServer) -> None:
    """One `except CarillonError` catches whatever a call runs into."""
    for reply in (BREAK, refuse(403, "NOT_ALLOWED"), refuse(409, "IN_CONFLICT"), Reply(200, b"?")):
        server.replies = [reply]
        with pytest.raises(CarillonError):
            send(app)
