"""ARCHITECTURE.md is a map of all of the code, and short enough to be read in one go."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT

MOST_LINES = 170

pytestmark = pytest.mark.quick


def list_mapped(text: str) -> Iterator[str]:
    """Paths in the first cells of the map's table; a bare module name is in the folder of the path before it."""
    table = text.partition("## The map")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", row):
            path = name if "/" in name else f"{folder}/{name}"
            folder = path.rpartition("/")[0]
            yield path


def modules() -> Iterator[Path]:
    """Every module of ours, but the steps of the schema's history; a package is named by what is in it."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "__init__.py" and path.parent.name != "versions":
                yield path.relative_to(ROOT)


def test_every_module_or_its_room_is_on_the_map() -> None:
    """A module that neither is named in ARCHITECTURE.md nor lies in a room that is has no place to be looked for."""
    places = set(list_mapped((ROOT / "ARCHITECTURE.md").read_text()))
    unmapped = [
        str(module)
        for module in modules()
        if str(module) not in places and f"{module.parent}/" not in places
    ]
    assert sorted(unmapped) == []


def test_every_place_on_the_map_is_there() -> None:
    """A room or module that was renamed or removed is renamed or removed in ARCHITECTURE.md too."""
    places = list_mapped((ROOT / "ARCHITECTURE.md").read_text())
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_map_can_be_read_in_one_go() -> None:
    """ARCHITECTURE.md has at most 170 lines; reasons and figures have pages of their own."""
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= MOST_LINES
