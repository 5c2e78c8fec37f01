"""Names and prose are what a newcomer reads without stumbling: functions are verbs, sentences have their usual order."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.references import texts
from tests.architecture.sources import (
    CLIENT,
    PACKAGES,
    ROOT,
    Function,
    list_functions,
    list_modules,
)

# ── functions are verbs ──

# Participles that end like no other; those that are also the verb itself (`read`, `set`, `put`, `cut`) are no riddle.
_IRREGULAR = (
    "born bound brought built caught done drawn fed found given gone heard held kept known laid led left lost made met"
    " paid said seen sent shown taken told written"
)
_PARTICIPLE = re.compile(rf"\w+(ed|en|ing)|{_IRREGULAR.replace(' ', '|')}")

# Verbs and nouns that only look like participles.
_NO_PARTICIPLE = {
    *("bound", "embed", "feed", "listen", "need", "open", "overfeed", "ping", "ring"),
    *("heading", "lengthen", "mapping", "setting", "shorten", "token"),
}

# Decorators of what is named by a noun: a property is read as a value, a fixture and a command are called by what they are.
_NAMED_AS_NOUNS = {"property", "cached_property", "fixture", "group", "command"}

# ── words that went ──

# "Whoever" makes a riddle of a sentence: it says somebody, and hides who.
_RIDDLE = re.compile(r"\bwhoever\b", re.IGNORECASE)

pytestmark = pytest.mark.quick


def list_participles(code: str) -> Iterator[str]:
    """Functions and methods of a module whose name begins with a participle, as in `validated_send`."""
    for function in list_functions(code):
        first = function.name.strip("_").partition("_")[0]
        is_participle = _PARTICIPLE.fullmatch(first) and first not in _NO_PARTICIPLE
        if is_participle and not function.name.endswith("__") and not _is_noun(function):
            yield function.name


def _is_noun(function: Function) -> bool:
    words = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
    }
    return not words.isdisjoint(_NAMED_AS_NOUNS)


def test_functions_are_verbs() -> None:
    """No function of code or tests begins with a bare participle: it is `validate_send`, not `validated_send`."""
    found = {
        name
        for path in list_modules(*PACKAGES, CLIENT, "tests")
        for name in list_participles((ROOT / path).read_text(encoding="utf-8"))
    }
    assert found == set(), "give them a verb"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def validated_send(): ...", ["validated_send"]),
        ("class A:\n    async def _told(self): ...", ["_told"]),
        ("@contextmanager\ndef running(): ...", ["running"]),
        ("@property\ndef taken_back(self): ...", []),
        ("@pytest.fixture(scope='module')\ndef shared(): ...", []),
        ("def open_socket(): ...\ndef read_row(): ...\ndef mark_published(): ...", []),
        ("def __missing__(self): ...\ndef test_it():\n    def held(): ...", []),
    ],
)
def test_a_bare_participle_is_seen(code: str, found: list[str]) -> None:
    """The check finds participles of functions and methods; verbs, properties, fixtures and inner functions pass."""
    assert [*list_participles(code)] == found


def test_nothing_is_said_of_an_unnamed_somebody() -> None:
    """Code and pages say who does a thing, in the usual order of words."""
    this = "test_words.py"
    found = {
        str(path) for path, text in texts().items() if path.name != this if _RIDDLE.search(text)
    }
    assert found == set(), "say who"
