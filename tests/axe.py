"""axe-core: it judges whether people can use a page, with a screen reader, by keyboard, with weak eyes.

npm fetches it, at the version that `tests/npm/package-lock.json` names, once for all runs. Without npm, or without a
registry, the tests that ask it are skipped.
"""

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.browser import Page

_PACKAGE = Path(__file__).parent / "npm"
_SCRIPT = "node_modules/axe-core/axe.min.js"


def list_barriers(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now: the rule, how grave it is, and which elements."""
    page.run(_read_script())
    found = page.wait_for("axe.run(document, {resultTypes: ['violations']}).then(JSON.stringify)")
    return [
        f"{one['id']} ({one['impact']}): {[node['html'][:120] for node in one['nodes'][:5]]}"
        for one in json.loads(found)["violations"]
    ]


@cache
def _read_script() -> str:
    kept = _PACKAGE / _SCRIPT
    if not kept.exists():
        _fetch(kept)
    return kept.read_text(encoding="utf-8")


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core needs npm")
    with tempfile.TemporaryDirectory(dir=_PACKAGE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_PACKAGE / name, folder)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"npm could not fetch axe-core: {done.stderr[-300:]}")
        # Another run may be doing the same: the file comes into its place whole.
        kept.parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / _SCRIPT).replace(kept)
