"""A module is one idea and a folder is one subject, small enough to be taken in (decision 25)."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.sources import CLIENT, PACKAGES, ROOT, count_lines, list_modules

MOST_MODULES = 20
MOST_LINES = 400
# Nine of ten modules are at most this long.
MOST_USUAL_LINES = 250

# The steps of the schema's history: a step that was released is never joined, split or moved.
HISTORY = Path("storage/postgres/migrations/versions")

# Modules that are longer than they may be. This list only shrinks: split them by subject.
LONG_DEBTS: set[str] = set()

pytestmark = pytest.mark.quick


def test_no_folder_holds_more_than_twenty_modules() -> None:
    """A folder of code or tests has at most twenty modules, `__init__` not counted; the schema's history may grow."""
    sizes = Counter(
        str(path.parent)
        for path in list_modules(*PACKAGES, CLIENT, "tests")
        if path.name != "__init__.py" and path.parent != HISTORY
    )
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    """A module of code or tests that grows over 400 lines is split by subject."""
    long = {
        str(path)
        for path in list_modules(*PACKAGES, CLIENT, "tests")
        if count_lines(path) > MOST_LINES
    }
    assert long <= LONG_DEBTS


def test_the_list_of_long_modules_only_shrinks() -> None:
    """What is on the list of long modules is there, and is too long."""
    done = {
        name
        for name in LONG_DEBTS
        if not (ROOT / name).exists() or count_lines(Path(name)) <= MOST_LINES
    }
    assert done == set(), "take them off the list"


def test_nine_of_ten_modules_have_at_most_250_lines() -> None:
    """Of code and tests together, nine of ten modules have at most 250 lines."""
    lengths = sorted(count_lines(path) for path in list_modules(*PACKAGES, CLIENT, "tests"))
    assert lengths[len(lengths) * 9 // 10] <= MOST_USUAL_LINES


def test_every_room_says_what_it_is() -> None:
    """Every folder of the packages that has modules has an `__init__` with a docstring."""
    rooms = {path.parent for path in list_modules(*PACKAGES, CLIENT)}
    silent = {str(room) for room in rooms if not _read_docstring(ROOT / room / "__init__.py")}
    assert silent == set()


def _read_docstring(module: Path) -> str | None:
    if not module.exists():
        return None
    return ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
