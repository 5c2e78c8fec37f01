"""Whether this Python's environment is this project's, for the Makefile: exit code 1 if it must be made anew.

Run by `.venv/bin/python -I`, in the project's folder. It is not when Python was upgraded under it (its packages lie in the
folder of another version), when the project was moved since (what is installed points to the old place), or when another
version is asked for by name. Imports the standard library only: there may be no packages.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.parse import unquote, urlsplit


def is_ours(packages: Path, place: Path) -> bool:
    """Whether the environment with these `packages` is of this version, and was made for `place`.

    One that was never finished is: it goes on being made.
    """
    if not packages.is_dir():
        return False
    notes = packages.glob("carillon-*.dist-info/direct_url.json")
    said = [json.loads(note.read_text(encoding="utf-8"))["url"] for note in notes]
    return all(Path(unquote(urlsplit(url).path)) == place for url in said)


def is_asked_for(python: str) -> bool:
    """Whether the program `python` is of our version."""
    script = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.split() == [str(number) for number in sys.version_info[:2]]


if __name__ == "__main__":
    packages = Path(sysconfig.get_path("purelib"))
    sys.exit(not (is_ours(packages, Path.cwd()) and all(map(is_asked_for, sys.argv[1:]))))
