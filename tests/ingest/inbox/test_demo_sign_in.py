"""Signing in as a demo person without a password: for the page itself, on this machine, for three people."""

from collections.abc import Mapping

import httpx
import pytest

from ingest.app import create_app
from ingest.inbox.demo_people import LIN, MEI, TAO
from storage.model.errors import InvalidSettings
from tests.ingest.api_server import Api
from tests.ingest.inbox.conftest import DEMO

SIGN_IN = "/inbox/demo/sign-in"


def sign_in(api: Api, *, id: object = MEI.id, **headers: str) -> httpx.Response:
    """Sign in, as the page does in a browser; `headers` replace its own (with _ for -)."""
    own = {"Origin": str(api.client.base_url).rstrip("/")}
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return api.client.post(SIGN_IN, json={"id": id}, headers=own | given)


def test_the_page_signs_a_demo_person_in(demo: Api) -> None:
    """The page is told who is there, and gets a token that the API takes, for an hour."""
    told = demo.client.get("/inbox/config.json")
    assert told.headers["Cache-Control"] == "no-store"
    assert told.json() == {"demo_people": [{"id": MEI.id, "name": MEI.name}]}
    answer = sign_in(demo)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert given["expires_in"] == 3600
    bearer = {"Authorization": f"Bearer {given['token']}"}
    assert demo.ask("GET", "/messages/conversations", headers=bearer).status_code == 200


@pytest.mark.parametrize("id", [1, 6, LIN.id, TAO.id, MEI.id - 1, 2**53])
def test_nobody_but_the_demos_own_people_is_signed_in(demo: Api, id: int) -> None:
    """Somebody of the organisation, an administrator, a demo person who is disabled and one who is not there: 404."""
    answer = sign_in(demo, id=id)
    assert answer.status_code == 404
    assert answer.json()["code"] == "UNKNOWN_PERSON"


@pytest.mark.parametrize("id", ["1", None, -1, 0, 1.5, [MEI.id], 10**30])
def test_what_is_no_id_is_refused(demo: Api, id: object) -> None:
    """Anything but an id is 422."""
    assert sign_in(demo, id=id).status_code == 422


def test_another_site_cannot_sign_in(demo: Api) -> None:
    """A page of another origin, of another port of this machine, or without an origin gets no token: 403."""
    port = demo.client.base_url.port
    for origin in (
        "https://evil.example",
        "http://localhost:3000",
        f"http://localhost:{port}",
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{port}.evil.example",
        f"http://evil.example@127.0.0.1:{port}",
        f"http://127.0.0.1:{port}/",
        "http://127.0.0.1",
        "null",
        "",
    ):
        assert sign_in(demo, Origin=origin).status_code == 403, origin
    assert demo.client.post(SIGN_IN, json={"id": MEI.id}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "2130706433"]
)
def test_a_name_that_was_made_to_lead_here_cannot_sign_in(demo: Api, host: str) -> None:
    """A page whose own name leads to this machine (DNS rebinding) is of the same origin, and gets no token all the same."""
    named = f"{host}:{demo.client.base_url.port}"
    assert sign_in(demo, Host=named, Origin=f"http://{named}").status_code == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "LOCALHOST", "[::1]"])
def test_every_name_of_ones_own_machine_is_one(demo: Api, host: str) -> None:
    """The page may have been opened by any of the machine's own names, on any port."""
    for named in (host, f"{host}:{demo.client.base_url.port}"):
        assert sign_in(demo, Host=named, Origin=f"http://{named}".lower()).status_code == 200, named


@pytest.mark.parametrize(
    "header",
    [
        {"X_Forwarded_For": "203.0.113.7"},
        {"X_Forwarded_Host": "m.example"},
        {"X_Forwarded_Proto": "https"},
        {"X_Real_IP": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
)
def test_what_came_through_a_proxy_cannot_sign_in(demo: Api, header: dict[str, str]) -> None:
    """Behind a proxy anybody may be asking, so nobody is signed in, whatever host and origin say."""
    assert sign_in(demo, **header).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"CARILLON_HOST": "0.0.0.0"},
        {"CARILLON_HOST": "::"},
        {"CARILLON_HOST": "192.0.2.7"},
        {"CARILLON_HOST": "messages.example"},
        {"CARILLON_HOST": ""},
        {"CARILLON_JWT_ALGORITHMS": "HS512"},
        {"CARILLON_JWT_ALGORITHMS": "HS256,RS256"},
        {"CARILLON_JWT_JWKS_FILE": "/keys/jwks.json"},
        {"CARILLON_JWT_PUBLIC_KEY_FILE": "/keys/key.pem"},
    ],
)
def test_a_deployment_that_others_reach_does_not_start_with_it(
    own_environ: Mapping[str, str], change: dict[str, str]
) -> None:
    """Where other machines could ask, or tokens are somebody else's, ingest refuses to start and says why."""
    with pytest.raises(InvalidSettings, match="CARILLON_INBOX_DEMO=on: only"):
        create_app({**own_environ, **DEMO, **change})


def test_it_does_not_help_that_there_is_no_inbox(own_environ: Mapping[str, str]) -> None:
    """The demo's sign-in is refused on an outer address, also where the inbox is off."""
    outer = {**DEMO, "CARILLON_INBOX": "off", "CARILLON_HOST": "0.0.0.0"}
    with pytest.raises(InvalidSettings, match="CARILLON_INBOX_DEMO"):
        create_app({**own_environ, **outer})
