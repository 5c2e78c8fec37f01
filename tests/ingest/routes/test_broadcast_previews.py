"""`POST /broadcasts/preview`: the audience of a broadcast, without the broadcast (contract §3)."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from storage.postgres.broadcasts import planning
from storage.postgres.broadcasts.planning import PlanLimits
from tests.ingest.api_server import Api, run_api

NOTICE = {"type": "NOTIFICATION", "title": "t", "content": "c", "is_broadcast": True}
AUDIENCES = [
    None,
    {"user_ids": [5, 2, 99, 2, 8, 9, 7]},
    {"user_ids": [99, 8]},
    {"app_user_ids": ["lisi", "zhangsan", "nobody", "ghost", "lisi", "gone"]},
]


def preview(api: Api, headers: Mapping[str, str] | None = None, **body: Any) -> httpx.Response:
    """Preview a broadcast of the app oa, changed by `body`."""
    return api.ask("POST", "/broadcasts/preview", headers=headers or api.app(), json=NOTICE | body)


def count_rows(engine: Engine) -> list[int]:
    """How many rows everything that a send can leave has."""
    tables = ("accepted", "broadcasts", "broadcast_chunks", "idempotency_keys", "failed_sends")
    with engine.connect() as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in tables
        ]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_preview_is_what_a_broadcast_accepted_then_has(api: Api, audience: Any) -> None:
    """The preview's figures are those of the report of a broadcast accepted next, no matter who comes and goes before its plan.

    Somebody whose record begins in the future is in neither.
    """
    with api.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO users (id, created_at) VALUES (7, now() + interval '1 hour')")
        )
    body = {} if audience is None else {"audience": audience}
    shown = preview(api, **body)
    assert shown.status_code == 200, shown.text
    id = api.send_for_id(api.app(), **NOTICE, **body)
    with api.engine.begin() as connection:
        connection.execute(text("UPDATE users SET status = 'DISABLED' WHERE id = 5"))
        connection.execute(text("UPDATE users SET status = 'ACTIVE' WHERE id = 8"))
        connection.execute(text("INSERT INTO users (id) VALUES (10)"))
    api.deliver()
    with api.engine.begin() as connection:
        while planning.plan_next(connection, PlanLimits(2)):
            pass
    report = api.ask("GET", f"/broadcasts/{id}", headers=api.app()).json()
    assert shown.json() == {"total": report["total"], "unresolved": report["unresolved"]}


def test_a_preview_leaves_nothing(api: Api) -> None:
    """However often a broadcast is previewed, with a key too, no row is written and the app has no broadcast."""
    before = count_rows(api.engine)
    for _ in range(3):
        headers = api.app() | {"Idempotency-Key": "k"}
        assert preview(api, headers).json() == {"total": 6, "unresolved": []}
    assert count_rows(api.engine) == before
    assert api.ask("GET", "/broadcasts", headers=api.app()).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": ""}, 422),
        ({"type": "MESSAGE"}, 422),
        ({"receiver_id": 1}, 422),
        ({"audience": {}}, 422),
        ({"audience": {"user_ids": []}}, 422),
        ({"audience": {"user_ids": ["1"]}}, 422),
        ({"audience": {"user_ids": [1] * 100_001}}, 422),
        ({"auto_sso": True, "target_url": "https://other.example.org/"}, 422),
        ({"content": "x" * 70_000}, 413),
        ({"app_id": "crm"}, 403),
        ({"send_at": "2020-01-01T00:00:00Z"}, 422),
    ],
)
def test_what_a_broadcast_is_refused_for_a_preview_is_too(
    shared_api: Api, body: Any, status: int
) -> None:
    """A body that is refused as a broadcast is refused as a preview, with the same words."""
    answer, sent = preview(shared_api, **body), shared_api.send(shared_api.app(), **NOTICE | body)
    assert answer.status_code == sent.status_code == status
    assert answer.json()["detail"] == sent.json()["detail"]
    assert answer.json()["code"] == sent.json()["code"]


def test_only_a_broadcast_has_a_preview(shared_api: Api) -> None:
    """A body without `is_broadcast` is 422 and says so; a person's call is 403; a field without effect 422 if asked."""
    answer = preview(shared_api, is_broadcast=False, receiver_id=1)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "is_broadcast"]
    assert preview(shared_api, shared_api.person(1)).status_code == 403
    strict = shared_api.app() | {"Prefer": "handling=strict"}
    assert preview(shared_api, strict, action_text="x").status_code == 422


def test_previews_have_a_limit_of_their_own(own_environ: Mapping[str, str], engine: Engine) -> None:
    """Previews over the limit are 429 with Retry-After and use up nothing of the sends; another app goes on."""
    few = {
        "CARILLON_APP_LIMIT_WAIT_SECONDS": "10",
        "CARILLON_APP_PREVIEWS_PER_MINUTE": "3",
        "CARILLON_APP_DAILY_QUOTA": "1",
    }
    with run_api({**own_environ, **few}, engine) as api:
        answers = [preview(api) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "RATE_LIMITED"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert preview(api, api.app("crm")).status_code == 200
        assert api.send(api.app(), **NOTICE).status_code == 200
        assert api.send(api.app(), **NOTICE).json()["code"] == "QUOTA_USED_UP"
