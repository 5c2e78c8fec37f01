"""The Makefile notices an environment that is not its own; nothing is installed here (`make -n`)."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.quick,
    pytest.mark.skipif(shutil.which("make") is None, reason="needs make"),
]

ROOT = Path(__file__).parents[2]
FILES = ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml")

OURS = ("ingest", "workers", "push_gateway", "storage", "ops", "carillon_client")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the Makefile beside an environment that seems to be installed."""
    folder = tmp_path / "a project"
    (folder / "ops/local").mkdir(parents=True)
    for name in (*FILES, "ops/local/own_environment.py"):
        shutil.copyfile(ROOT / name, folder / name)
    made = [sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")]
    subprocess.run(made, check=True, timeout=60)
    note = packages(folder) / "carillon-1.dist-info" / "direct_url.json"
    note.parent.mkdir()
    note.write_text(f'{{"url": "{folder.as_uri()}"}}')
    for name in OURS:
        (packages(folder) / name).mkdir()
        (packages(folder) / name / "__init__.py").touch()
    for stamp in ("installed", "installed-dev"):
        (folder / ".venv" / stamp).touch()
    return folder


def packages(folder: Path) -> Path:
    """Where its environment has packages."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return folder / ".venv" / "lib" / version / "site-packages"


def make(folder: Path, *words: str) -> str:
    """What `make -n` would do, and what it says."""
    done = subprocess.run(
        ["make", "-n", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def is_made_anew(folder: Path, *words: str) -> bool:
    """Whether the environment is thrown away and made again, and that is said."""
    said = make(folder, *words)
    is_gone = not (folder / ".venv").exists()
    assert is_gone == ("made anew" in said) == ("-m venv" in said), said
    return is_gone


def test_an_environment_without_a_package_of_ours_is_made_anew(project: Path) -> None:
    """One that was made before the project had a package does not pass for installed, whatever the times of files say."""
    shutil.rmtree(packages(project) / "carillon_client")
    assert is_made_anew(project, "check")


def test_its_own_environment_stays(project: Path) -> None:
    """Nothing is installed again, whichever rule is asked for."""
    assert not is_made_anew(project, "run")
    assert not is_made_anew(project, "check")
    assert "Installing" not in make(project, "run")
    assert not is_made_anew(project, "run", f"PYTHON={sys.executable}")


def upgrade_python(project: Path) -> Path:
    """Packages are where another version looked for them."""
    packages(project).parent.rename(project / ".venv" / "lib" / "python3.0")
    return project


def remove_python(project: Path) -> Path:
    """The Python that the environment was made of is gone."""
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    return project


def move(project: Path) -> Path:
    """The whole project lies somewhere else."""
    return project.rename(project.with_name("moved"))


@pytest.mark.parametrize("change", [upgrade_python, remove_python, move])
def test_a_strange_environment_is_made_anew(project: Path, change: Callable[[Path], Path]) -> None:
    """After a Python upgrade under it, or a move: before, `No module named ops` was all that came."""
    assert is_made_anew(change(project), "run")


def test_asking_for_help_changes_nothing(project: Path) -> None:
    """An environment is thrown away only where one is needed."""
    moved = move(project)
    make(moved)
    make(moved, "help")
    assert (moved / ".venv").exists()
