"""The audit at the console."""

from sqlalchemy import Engine

from tests.ingest.api_server import Api
from tests.ingest.console.pages import add_operator, get, post, sign_in


def test_the_audit_is_listed_filtered_and_paged(console: Api, engine: Engine) -> None:
    """The rows come newest first, by page, and by who, act or target; ids are strings."""
    add_operator(engine, "wang")
    for name in ("disable", "enable"):
        assert post(console, f"operators/wang/{name}").status_code == 200
    assert sign_in(console, "wang").status_code == 200
    rows = get(console, "audit").json()
    assert [row["act"] for row in rows] == [
        "console.sign-in",
        "operator.enable",
        "operator.disable",
        "operator.add",
        "console.sign-in",
    ]
    assert rows[1]["who"] == "token"
    assert rows[1]["at"].endswith("+00:00")
    assert isinstance(rows[0]["id"], str)
    assert get(console, f"audit?before_id={rows[2]['id']}").json() == rows[3:]
    assert get(console, "audit?who=wang").json() == rows[:1]
    assert get(console, "audit?act=operator.enable").json() == rows[1:2]
    assert get(console, "audit?target=operator+wang&who=token").json() == rows[1:3]
    assert get(console, "audit?before_id=x").status_code == 422
    assert get(console, "audit?who=%00").status_code == 422
