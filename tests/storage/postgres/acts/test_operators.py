"""What operators may do to one another at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from storage.model.errors import CarillonError, InConflict, NotSignedIn
from storage.model.operator import Actor, Role
from storage.postgres import audit, operators
from storage.postgres.acts import operators as acts

ROOT = Actor("cli:root", Role.ADMIN)


def add_admins(engine: Engine, *names: str) -> None:
    """Admins with a password that nothing fits."""
    with engine.begin() as connection:
        for name in names:
            acts.add(connection, ROOT, name=name, role=Role.ADMIN, password_hash="")


def disable(engine: Engine, actor: str, name: str) -> CarillonError | None:
    """Disable `name` as the admin `actor`; what refused it."""
    try:
        with engine.begin() as connection:
            acts.disable(connection, Actor(actor, Role.ADMIN), name=name, has_token=False)
    except CarillonError as error:
        return error
    return None


@pytest.mark.parametrize("_round", range(5))
def test_of_two_admins_who_disable_one_another_one_stays(engine: Engine, _round: int) -> None:
    """The second is refused when its turn comes: neither waits for ever, and an admin is left."""
    add_admins(engine, "li", "wang")
    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(disable, engine, actor, name)
            for actor, name in (("li", "wang"), ("wang", "li"))
        ]
        refusals = [one.result(timeout=60) for one in done]
    [refusal] = [one for one in refusals if one is not None]
    assert isinstance(refusal, NotSignedIn | InConflict)
    with engine.begin() as connection:
        enabled = [one.name for one in operators.list_all(connection) if not one.disabled_at]
        rows = audit.list_rows(connection, limit=9, act="operator.disable")
    assert len(enabled) == len(rows) == 1
    assert rows[0].who == enabled[0]


def test_an_admin_may_leave_if_another_stays(engine: Engine) -> None:
    """Admins may disable themselves, and give themselves another role, as long as somebody is left; the rows name them."""
    add_admins(engine, "li", "wang", "zhao")
    assert disable(engine, "li", "li") is None
    with engine.begin() as connection:
        acts.change_role(
            connection,
            Actor("wang", Role.ADMIN),
            name="wang",
            role=Role.VIEWER,
            has_token=False,
        )
    assert isinstance(disable(engine, "zhao", "zhao"), InConflict)
    with engine.begin() as connection:
        rows = audit.list_rows(connection, limit=2)
    assert [(row.who, row.act) for row in rows] == [
        ("wang", "operator.role"),
        ("li", "operator.disable"),
    ]
