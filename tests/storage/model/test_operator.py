"""What roles allow, and whose name is an operator's."""

import pytest

from storage.model.operator import PERMISSIONS, Actor, Permission, Role, is_operator_name

pytestmark = pytest.mark.quick


def test_each_role_may_do_all_that_the_one_before_may() -> None:
    """Viewers look, operators also steer, and admins may do everything there is."""
    viewer, operator, admin = (PERMISSIONS[role] for role in Role)
    assert viewer == {Permission.LOOK}
    assert operator == {Permission.LOOK, Permission.STEER}
    assert viewer < operator < admin
    assert admin == set(Permission)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("wang.li", True),
        ("a", True),
        ("ops_1@example.com", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        ("token", False),
        ("carillon", False),
        ("cli:root", False),
        ("Wang", False),
        ("-x", False),
        ("王", False),
        ("a b", False),
        ("a\n", False),
    ],
)
def test_names_of_operators(name: str, is_one: bool) -> None:
    """An operator's name is a lower-case word that is no name of the system's own; only such an actor has a row."""
    assert is_operator_name(name) is is_one
    assert Actor(name, Role.ADMIN).is_named is is_one
