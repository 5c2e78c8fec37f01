"""Changing an app that is there."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from storage.model.caller import App
from storage.postgres.people import apps
from storage.postgres.people.app_changes import AppChanges, change
from tests.builders import add_app


def make_app(engine: Engine) -> App:
    """App 7, with two hosts."""
    with engine.begin() as connection:
        add_app(connection, 7, name="OA", description="old")
        changed = change(connection, 7, changes=AppChanges(hosts=("a.cn", "*.b.cn")))
    assert changed is not None
    return changed[1]


def apply(engine: Engine, changes: AppChanges, *, id: int = 7) -> App | None:
    """The app as it is found after the change; None if there is none."""
    with engine.begin() as connection:
        if change(connection, id, changes=changes) is None:
            return None
    with engine.begin() as connection:
        return apps.find_by_id(connection, id)


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        (AppChanges(added_hosts=("c.cn", "a.cn")), ("*.b.cn", "a.cn", "c.cn")),
        (AppChanges(removed_hosts=("a.cn", "unknown.cn")), ("*.b.cn",)),
        (AppChanges(added_hosts=("c.cn",), removed_hosts=("a.cn",)), ("*.b.cn", "c.cn")),
        (AppChanges(hosts=("d.cn",)), ("d.cn",)),
        (AppChanges(hosts=("d.cn",), added_hosts=("e.cn",)), ("d.cn", "e.cn")),
        (AppChanges(hosts=()), ()),
        (AppChanges(name="X"), ("*.b.cn", "a.cn")),
    ],
)
def test_hosts_are_added_removed_and_replaced(
    engine: Engine, changes: AppChanges, hosts: tuple[str, ...]
) -> None:
    """Hosts come to those that are there, leave them, or stand in place of all."""
    make_app(engine)
    found = apply(engine, changes)
    assert found is not None
    assert found.redirect_hosts == hosts


def test_what_is_not_given_stays(engine: Engine) -> None:
    """Each of the other fields is changed alone; a category is made if it is new, and an empty one is none."""
    before = make_app(engine)
    named = apply(engine, AppChanges(name="New", category="Work"))
    assert named is not None
    assert (named.name, named.category_name) == ("New", "Work")
    assert (named.description, named.callback_url) == (before.description, before.callback_url)
    plain = apply(engine, AppChanges(category="", description="", callback_url="https://n.cn/cb"))
    assert plain is not None
    assert (plain.name, plain.category_name, plain.description) == ("New", None, "")
    assert plain.callback_url == "https://n.cn/cb"
    assert apply(engine, AppChanges(name="X"), id=99) is None


def test_changes_at_once_are_all_there(engine: Engine) -> None:
    """Hosts that are added by many at once are all there afterwards."""
    make_app(engine)
    wanted = [f"h{number}.cn" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        adding = [pool.submit(apply, engine, AppChanges(added_hosts=(host,))) for host in wanted]
        for one in adding:
            one.result()
    found = apply(engine, AppChanges())
    assert found is not None
    assert set(found.redirect_hosts) == {"a.cn", "*.b.cn", *wanted}
