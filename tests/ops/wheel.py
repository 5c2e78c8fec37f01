"""The wheel of a tree, built without a network as `make run` and the image build it."""

import subprocess
import sys
from pathlib import Path


def build_wheel(tree: Path, *, into: Path) -> Path:
    """Build the wheel of the project that lies in `tree` and return its file."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    command += ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(into), "."]
    done = subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = into.glob("*.whl")
    return wheel
