"""People and apps as clients find them (contract §6)."""

import pytest
from sqlalchemy import Engine, update

from storage.postgres.people.directory import grams
from storage.postgres.tables import users
from tests.ingest.api_server import Api


@pytest.fixture
def zhang(api: Api, engine: Engine) -> Api:
    """A server on which person 3 is 张三."""
    with engine.begin() as connection:
        names = {"name": "张三", "mobile": "13900139000", "english_name": "ZhangSan"}
        connection.execute(
            update(users)
            .where(users.c.id == 3)
            .values(**names, search_grams=grams(*names.values()))
        )
    return api


def test_a_person_is_found_by_any_part_of_a_name(zhang: Api) -> None:
    """Any part of a name, also one Chinese character, finds the person, field for field as in the client document."""
    found = {"id": 3, "mobile": "13900139000", "name": "张三", "english_name": "ZhangSan", "status": "ACTIVE"}  # fmt: skip
    for q in ("张", "三", "1390013", "angs"):
        assert zhang.read("/users/search", q=q, limit=20) == [found]
        page = zhang.read("/users/", keyword=q)
        assert page == {
            "total": 1,
            "items": [found | {"role": "ORDINARY_USER", "is_deleted": 0}],
        }


def test_people_are_listed_by_pages(shared_api: Api) -> None:
    """The list of people comes in pages, and its total counts all that match."""
    page = shared_api.read("/users/", skip=1, limit=2)
    assert page["total"] == 8
    assert [person["id"] for person in page["items"]] == [2, 3]


def test_the_launchpad_has_the_apps_with_an_account(shared_api: Api) -> None:
    """The launchpad has the active apps in which the caller has an account, field for field as in the client document."""
    page = shared_api.read("/simple/me/launchpad-apps", person=2)
    assert page["total"] == 2
    assert page["items"][0] == {
        "app_name": "OA系统",
        "app_id": "oa",
        "protocol_type": "SIMPLE_API",
        "mapped_key": "lisi",
        "mapped_email": "lisi@corp.com",
        "is_active": True,
        "description": "",
        "category_id": None,
        "category_name": None,
    }
    assert shared_api.read("/simple/me/launchpad-apps", person=1) == {"total": 0, "items": []}


def test_an_administrator_sees_every_active_app(shared_api: Api) -> None:
    """An administrator lists every active app, anyone else those in which they have an account."""
    everything = shared_api.read("/apps/", person=6)
    assert [app["app_id"] for app in everything["items"]] == ["oa", "crm"]
    assert everything["items"][0]["mapped_key"] is None
    assert shared_api.read("/apps/", person=6, search="cr")["total"] == 1
    assert shared_api.read("/apps/", person=6, limit=1, skip=1)["items"][0]["app_id"] == "crm"
    assert shared_api.read("/apps/", person=3)["total"] == 1
    assert shared_api.read("/apps/", person=1)["total"] == 0
