"""The wheel has what the processes need when they are installed and not run from a clone."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.sources import CLIENT, PACKAGES
from tests.ops.wheel import build_wheel

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[2]
FOLDERS = {name: name for name in PACKAGES} | {"carillon_client": CLIENT}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in the wheel of this tree."""
    tree, into = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS.values():
        caches = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / folder, tree / folder, ignore=caches)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tree / name)
    with ZipFile(build_wheel(tree, into=into)) as wheel:
        return set(wheel.namelist())


def test_the_wheel_says_that_every_package_has_types(names: set[str]) -> None:
    """Each package has its `py.typed` (PEP 561), so that type checkers of others believe it."""
    assert {f"{package}/py.typed" for package in FOLDERS} <= names


def test_the_wheel_has_every_module_and_what_modules_read(names: set[str]) -> None:
    """No module, migration, page or schema of the packages stays behind."""
    read = {".py", ".mako", ".html", ".css", ".js", ".svg", ".png"}
    expected = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in read and "node_modules" not in path.parts
    }
    assert len(expected) > 200
    assert expected - names == set()


def test_the_wheel_has_nothing_besides_the_packages(names: set[str]) -> None:
    """Tests and folders of this place are in no wheel."""
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(FOLDERS)
