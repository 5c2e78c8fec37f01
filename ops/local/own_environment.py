"""Whether the virtual environment of this Python still fits: exit code 1 if the Makefile must make it anew.

Run by `.venv/bin/python -I [PYTHON]`, in the project's folder. It does not fit if Python was upgraded under it (its packages
lie in the folder of another version), if the project was moved since (what is installed points to the old place), if it was
made before the project had a package that it has now, or if PYTHON is of another version. It imports the standard library only: there may be no packages.
"""

import json
import subprocess
import sys
import sysconfig
import tomllib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit


def is_ours(packages: Path, place: Path) -> bool:
    """Whether the environment whose packages lie in `packages` is of this Python and was made for the folder `place`.

    An environment that was never finished is: the Makefile goes on with it.
    """
    if not packages.is_dir():
        return False
    notes = packages.glob("carillon-*.dist-info/direct_url.json")
    places = [json.loads(note.read_text(encoding="utf-8"))["url"] for note in notes]
    return all(Path(unquote(urlsplit(url).path)) == place for url in places)


def has_every_package(packages: Path, place: Path) -> bool:
    """Whether every package that `place` declares can be imported here; so it is while nothing of ours is installed.

    The Makefile goes by the times of files, which a copied environment keeps and a touched one loses.
    """
    if not any(packages.glob("carillon-*.dist-info")):
        return True
    project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    names = project["tool"]["setuptools"]["packages"]["find"]["include"]
    return all(find_spec(name.removesuffix("*")) is not None for name in names)


def is_same_version(python: str) -> bool:
    """Whether the program `python` is a Python of our version."""
    script = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.split() == [str(number) for number in sys.version_info[:2]]


if __name__ == "__main__":
    packages = Path(sysconfig.get_path("purelib"))
    place = Path.cwd()
    fits = is_ours(packages, place) and has_every_package(packages, place)
    sys.exit(not (fits and all(map(is_same_version, sys.argv[1:]))))
