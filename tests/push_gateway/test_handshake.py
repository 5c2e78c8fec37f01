"""Opening a socket on a real gateway: every way to show a token, and every way to be refused."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from ops.local.embedded.valkey import EmbeddedValkey
from storage.model.error_codes import ErrorCode
from storage.valkey.bus import Bus
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import PATH, Gateway, to_both, token, wait_for
from tests.storage.keys.test_tokens import BAD

OTHERWISE = "Not signed in, or the token or signature is invalid or expired."


def refusal(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers (names in lower case) and `detail` of a refused handshake, whose body names the request."""
    with pytest.raises(InvalidStatus) as caught, connect(url, additional_headers=headers):
        pass
    response = caught.value.response
    found = {name.lower(): value for name, value in response.headers.raw_items()}
    body = json.loads(response.body or b"{}")
    assert list(body) == ["detail", "code", "request_id"]
    assert ErrorCode[body["code"]].status == response.status_code
    assert body["request_id"] == found["x-request-id"]
    return response.status_code, found, body["detail"]


def test_a_token_in_the_query_opens_a_socket(gateway: Gateway, bus: Bus) -> None:
    """The client document's way: `?token=`; then its messages come."""
    client = gateway.connect(2)
    bus.publish([to_both(1, 1, 2)])
    assert client.ids(1) == [1]
    client.close()


def test_a_token_in_the_authorization_header_opens_a_socket(gateway: Gateway) -> None:
    """`Authorization: Bearer`, for clients that are no browsers."""
    headers = {"Authorization": f"Bearer {token(2)}"}
    gateway.open(gateway.url(), additional_headers=headers).ping()


def test_a_token_as_a_subprotocol_opens_a_socket(gateway: Gateway) -> None:
    """`bearer, <JWT>`, for browsers that keep tokens out of URLs; the answer is `bearer`."""
    offered = [Subprotocol("bearer"), Subprotocol(token(2))]
    client = gateway.open(gateway.url(), subprotocols=offered)
    assert client.socket.subprotocol == "bearer"
    client.ping()
    client.close()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_401_before_the_upgrade(gateway: Gateway, name: str) -> None:
    """Every bad token (fault row 31): HTTP 401, a JSON detail, WWW-Authenticate, a request id."""
    bad = BAD[name]()
    try:
        bad.encode("latin-1")
    except UnicodeEncodeError:
        pytest.skip("cannot be put into a header")
    if "\n" in bad or len(bad) > 8000:
        pytest.skip("cannot be put into a header")
    status, headers, detail = refusal(gateway.url(), {"Authorization": f"Bearer {bad}"})
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"]
    assert detail in {OTHERWISE, "The token has expired."}


def test_no_token_and_an_expired_one_in_the_query_are_401(gateway: Gateway) -> None:
    """Without anything, or with `carillon token --ttl -1`."""
    assert refusal(gateway.url())[0] == 401
    status, _, detail = refusal(gateway.url(token=token(2, ttl_seconds=-1)))
    assert (status, detail) == (401, "The token has expired.")


def test_the_callers_request_id_comes_back(gateway: Gateway) -> None:
    """X-Request-Id is echoed if it is sane, replaced if not (contract §0)."""
    assert refusal(gateway.url(), {"X-Request-Id": "abc-1"})[1]["x-request-id"] == "abc-1"
    replaced = refusal(gateway.url(), {"X-Request-Id": "x" * 500})[1]["x-request-id"]
    assert len(replaced) == 32


def test_a_plain_request_for_the_sockets_is_told_to_upgrade(gateway: Gateway) -> None:
    """GET without an upgrade: 426 and a sentence, whatever token is in the query."""
    status, body = gateway.get(f"{PATH}?token=abc")
    assert status == 426
    assert "WebSocket" in json.loads(body)["detail"]


def test_a_disabled_person_is_refused_until_enabled(gateway: Gateway, bus: Bus) -> None:
    """Their token is good, but the bus says they are disabled: 401 without asking PostgreSQL."""
    bus.disable(44, at_ms=1)
    assert refusal(gateway.url(token=token(44)))[::2] == (401, OTHERWISE)
    bus.enable(44)
    gateway.connect(44).close()


def ticket(gateway: Gateway, bearer: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of POST /ws/tickets with this token."""
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = httpx.post(f"http://127.0.0.1:{gateway.port}/api/v1/ws/tickets", headers=headers)
    return answer.status_code, answer.json()


def test_a_ticket_opens_one_socket(gateway: Gateway, bus: Bus) -> None:
    """POST /ws/tickets gives a ticket for 30 s; the second use of it is 401."""
    status, answer = ticket(gateway, token(80))
    assert (status, answer["expires_in"]) == (200, 30)
    client = gateway.open(gateway.url(ticket=answer["ticket"]))
    bus.publish([to_both(8, 1, 80)])
    assert client.ids(1) == [8]
    assert refusal(gateway.url(ticket=answer["ticket"]))[0] == 401


def test_a_ticket_is_for_those_who_are_signed_in(gateway: Gateway, bus: Bus) -> None:
    """A bad token, or a disabled person's, gets no ticket; a made-up ticket opens nothing."""
    assert ticket(gateway, "bad")[0] == 401
    assert httpx.post(f"http://127.0.0.1:{gateway.port}/api/v1/ws/tickets").status_code == 401
    bus.disable(81, at_ms=1)
    assert ticket(gateway, token(81))[0] == 401
    bus.enable(81)
    assert refusal(gateway.url(ticket="made-up"))[0] == 401


def test_a_ticket_of_a_person_who_was_disabled_since_opens_nothing(
    gateway: Gateway, bus: Bus
) -> None:
    """The ticket was good when it was issued; the person is judged when it is used."""
    _, answer = ticket(gateway, token(83))
    bus.disable(83, at_ms=1)
    assert refusal(gateway.url(ticket=answer["ticket"]))[::2] == (401, OTHERWISE)
    bus.enable(83)


def test_a_socket_opened_by_a_ticket_ends_with_the_token(gateway: Gateway) -> None:
    """A ticket does not outlive the token it was asked for with: 4401 at that one's end."""
    _, answer = ticket(gateway, token(82, ttl_seconds=2))
    assert gateway.open(gateway.url(ticket=answer["ticket"])).close_code() == 4401


def test_a_page_of_another_origin_is_refused(launch: Launch) -> None:
    """A page of an origin that is not listed gets 403, a listed one its socket; so do a page of the same host and no page."""
    gateway = launch(CARILLON_ORIGINS="https://app.example.com,http://localhost:*")
    url = gateway.url(token=token(2))
    for origin in ("https://evil.test", "null", "http://127.0.0.1:1"):
        assert refusal(url, {"Origin": origin})[0] == 403
    ours = f"http://127.0.0.1:{gateway.port}"
    for origin in ("https://app.example.com", "http://localhost:5173", ours):
        gateway.open(url, additional_headers={"Origin": origin}).ping()
    gateway.open(url).ping()


def test_without_a_list_only_pages_of_the_gateways_own_host_open_sockets(gateway: Gateway) -> None:
    """CARILLON_ORIGINS not set: a page of another origin is 403, also with a good token; one of the same host is let in."""
    url = gateway.url(token=token(2))
    assert refusal(url, {"Origin": "https://app.example.com"})[0] == 403
    ours = f"http://127.0.0.1:{gateway.port}"
    gateway.open(url, additional_headers={"Origin": ours}).ping()


def test_a_page_of_a_listed_origin_gets_tickets_and_reads_refusals(launch: Launch) -> None:
    """`POST /ws/tickets` answers the preflight of a listed origin 204; every answer, errors too, names that origin."""
    gateway = launch(CARILLON_ORIGINS="https://app.example.com")
    url = f"http://127.0.0.1:{gateway.port}/api/v1/ws/tickets"
    listed = {"Origin": "https://app.example.com"}
    asked = {"Access-Control-Request-Method": "POST"}
    preflight = httpx.options(url, headers=listed | asked)
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    issued = httpx.post(url, headers=listed | {"Authorization": f"Bearer {token(2)}"})
    nowhere = httpx.get(f"http://127.0.0.1:{gateway.port}/nowhere", headers=listed)
    for answer in (preflight, issued, httpx.post(url, headers=listed), nowhere):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    other = {"Origin": "https://evil.test"}
    assert httpx.options(url, headers=other | asked).status_code == 405
    assert "Access-Control-Allow-Origin" not in httpx.post(url, headers=other).headers


def test_a_token_that_expires_on_a_live_socket_closes_it(gateway: Gateway) -> None:
    """4401 within two seconds of its end (fault row 29)."""
    client = gateway.connect(2, ttl_seconds=2)
    ends_at = int(time.time()) + 2
    assert client.close_code() == 4401
    assert time.time() - ends_at < 2


def test_one_connection_too_many_is_refused_while_all_are_alive(gateway: Gateway, bus: Bus) -> None:
    """The eleventh socket of a person is answered 429 with Retry-After; the ten stay, and so does everyone else."""
    clients = [gateway.connect(70) for _ in range(10)]
    status, headers, detail = refusal(gateway.url(token=token(70)))
    assert (status, detail) == (429, "This person has as many sockets open as they may.")
    assert 1 <= int(headers["retry-after"]) <= 40 + 4  # the rest of a heartbeat, and the spread
    gateway.connect(86).close()
    bus.publish([to_both(7, 1, 70)])
    assert [client.ids(1) for client in clients] == [[7]] * 10
    clients.pop().close()
    wait_for(lambda: gateway.metric("carillon_sockets_open") < 10)
    gateway.connect(70).ping()


def test_over_its_capacity_a_process_says_1013(launch: Launch) -> None:
    """With CARILLON_PUSH_CONNECTIONS sockets open, one more is closed with 1013, the rest stay."""
    gateway = launch(CARILLON_PUSH_CONNECTIONS="2")
    first, second = gateway.connect(1), gateway.connect(2)
    assert gateway.connect(3).close_code() == 1013
    first.ping()
    second.close()
    wait_for(lambda: gateway.metric("carillon_sockets_open") == 1)
    gateway.connect(3).ping()


def test_without_valkey_nobody_is_let_in(launch: Launch, valkey: EmbeddedValkey) -> None:
    """With Valkey away: not ready, handshakes are 503 with Retry-After; afterwards all is well."""
    gateway = launch(CARILLON_VALKEY_TIMEOUT_SECONDS="0.5")
    valkey.stop()
    try:
        wait_for(lambda: gateway.get("/readyz")[0] == 503)
        status, headers, _ = refusal(gateway.url(token=token(2)))
        assert status == 503
        assert int(headers["retry-after"]) >= 1
        assert gateway.get("/healthz")[0] == 200
    finally:
        valkey.start()
    wait_for(gateway.is_ready)
    gateway.connect(2).ping()
