"""The limits of people and apps: 429 with Retry-After, and never for a batch that is repeated.

What a single send and its replay do to the quota is in `sends/test_sender.py`.
"""

from collections.abc import Callable, Mapping

from httpx import Response
from sqlalchemy import Engine, text

from tests.ingest.api_server import run_api

NOTICE = {"type": "NOTIFICATION", "title": "t", "content": "c", "receiver_id": 2}
UPLOAD = {"content_type": "image/png", "filename": "a.png", "size": 1}
# What the limits of a test are, it must reach on any machine; and no wait for Valkey may open the gate.
FEW = {
    "CARILLON_APP_LIMIT_WAIT_SECONDS": "10",
    "CARILLON_PERSON_RATE_PER_SECOND": "1",
    "CARILLON_PERSON_BURST": "5",
    "CARILLON_PERSON_UPLOADS_PER_HOUR": "3",
    "CARILLON_PERSON_LISTS_PER_SECOND": "1",
}
QUOTA = {"CARILLON_APP_DAILY_QUOTA": "5"}


def test_a_person_is_limited_and_an_app_is_not(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A flood of one person's sends, uploads and searches is 429 with Retry-After; others go on."""
    with run_api({**own_environ, **FEW}, engine) as api:
        me, other = api.person(1), api.person(2)
        floods: dict[str, Callable[[], Response]] = {
            "sends": lambda: api.send(me, receiver_id=2),
            "uploads": lambda: api.ask("POST", "/media/uploads", headers=me, json=UPLOAD),
            "searches": lambda: api.ask("GET", "/users/search?q=a", headers=me),
        }
        for name, flood in floods.items():
            answers = [flood() for _ in range(20)]
            assert {answer.status_code for answer in answers} == {200, 429}, name
            refused = next(answer for answer in answers if answer.status_code == 429)
            assert 1 <= int(refused.headers["Retry-After"]) <= 1205
            assert refused.json()["detail"]
        assert api.send(other, receiver_id=1).status_code == 200
        assert api.ask("POST", "/media/uploads", headers=other, json=UPLOAD).status_code == 200
        assert api.ask("GET", "/messages/conversations", headers=me).status_code == 200
        assert {api.send(api.app(), **NOTICE).status_code for _ in range(20)} == {200}


def test_a_batch_again_is_answered_when_the_quota_is_used_up(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A repeated batch gets its first answer when the quota is used up, also with a receiver disabled; a new one is 429."""
    with run_api({**own_environ, **FEW, **QUOTA}, engine) as api:

        def batch(key: str, number: int) -> tuple[int, str]:
            answer = api.ask(
                "POST",
                "/messages/batch",
                headers={**api.app(), "Idempotency-Key": key},
                json={"messages": [NOTICE] * number},
            )
            return answer.status_code, answer.text

        first = batch("k", 5)
        assert first[0] == 200
        assert batch("new", 1)[0] == 429
        with engine.begin() as connection:
            connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 2"))
        assert batch("k", 5) == first
