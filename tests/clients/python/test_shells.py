"""The two shells are one SDK: what there is in one is in the other, and says the same."""

import inspect
import re
from typing import Any

import pytest

from carillon_client import (
    AppClient,
    AsyncAppClient,
    AsyncPersonClient,
    AsyncPersonSocket,
    PersonClient,
    PersonSocket,
)

pytestmark = pytest.mark.quick

PAIRS = [
    (AppClient, AsyncAppClient),
    (PersonClient, AsyncPersonClient),
    (PersonSocket, AsyncPersonSocket),
]
# The asynchronous ones are cancelled by `asyncio.timeout`.
ONLY_BLOCKING = {"timeout"}


def list_methods(kind: type) -> dict[str, Any]:
    """The public methods and properties, by the blocking ones' names."""
    found = inspect.getmembers(
        kind, lambda one: inspect.isfunction(one) or isinstance(one, property)
    )
    names = {"aclose": "close"}
    return {names.get(name, name): one for name, one in found if not name.startswith("_")}


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_shells_have_the_same_methods(blocking: type, asynchronous: type) -> None:
    """A method of one shell is in the other, with the same arguments and the same documentation."""
    ours, theirs = list_methods(blocking), list_methods(asynchronous)
    assert ours.keys() == theirs.keys()
    for name in ours:
        mine, other = ours[name], theirs[name]
        if not isinstance(mine, property):
            parameters = set(inspect.signature(mine).parameters) - ONLY_BLOCKING
            if name != "receive":
                parameters = set(inspect.signature(mine).parameters)
                assert mine.__doc__ == other.__doc__ or name == "socket", name
            assert parameters == set(inspect.signature(other).parameters), name


def test_everything_public_is_exported() -> None:
    """Whatever a public method gives or takes can be imported from the package itself."""
    import carillon_client

    for blocking, _ in PAIRS:
        for name, method in list_methods(blocking).items():
            if isinstance(method, property):
                continue
            words = re.findall(r"carillon_client\.[\w.]*\.(\w+)", str(inspect.signature(method)))
            assert set(words) <= set(carillon_client.__all__), name
