"""The examples of a guide in `docs/api/`, taken out of its Markdown and run as a reader would run them.

A fenced block says what it is in its first line: `sh run` and `python run` are run in the order of the page, in one
shell; `python file=NAME` is a file that they use; `json output` shows what the block before it prints.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs/api"
FENCE = re.compile(r"^```(\w+) ([^\n`]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
PATIENCE = 100


@dataclass(frozen=True)
class Block:
    """One marked block; `line` is where it begins in its page."""

    language: str
    word: str
    text: str
    line: int


def read_blocks(page: str) -> list[Block]:
    """The marked blocks of a page, in its order."""
    text = (FOLDER / page).read_text()
    return [
        Block(match[1], match[2], match[3], text.count("\n", 0, match.start()) + 1)
        for match in FENCE.finditer(text)
    ]


def read_fences(path: Path) -> list[str]:
    """Every fenced block of a file, marked or not, with its first line."""
    return re.findall(r"^```.*?^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def read_outline(path: Path) -> list[tuple[str, ...]]:
    """The levels of a file's headings and what is code in the first cells of its tables: the same in every language."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.finditer(r"^(#+) |^\| ?([^|]*)\|", text, re.MULTILINE)
    return [(line[1] or "row", *re.findall(r"`([^`]+)`", line[2] or "")) for line in found]


def read_file(page: str, name: str) -> str:
    """The text of the block `file=NAME` of a page."""
    [text] = [block.text for block in read_blocks(page) if block.word == f"file={name}"]
    return text


@dataclass(frozen=True)
class Terminal:
    """A reader's shell: what one page exported is there for the next."""

    folder: Path
    environ: Mapping[str, str]

    def run(
        self, page: str, *, keep: bool = False, replaced: Mapping[str, str] | None = None
    ) -> dict[int, str]:
        """Run a page and return what its blocks printed, by line; fails the test if one of them fails.

        With `keep`, what the page exported is there for the pages after it. `replaced`: texts of the page that mean
        something else here, such as an address.
        """
        text = "\n".join(self._script(page, keep=keep))
        for there, here in (replaced or {}).items():
            text = text.replace(there, here)
        script = self.folder / "page.sh"
        script.write_text(text)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", script],
            cwd=self.folder,
            env=self._environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        parts = done.stdout.split(MARK)[1:]
        printed = {int(line): text for line, text in (part.split("\n", 1) for part in parts)}
        last = max(printed, default=0)
        told = f"{page}:{last}: exit code {done.returncode}\n{printed.get(last)}\n{done.stderr}"
        assert done.returncode == 0, told
        return printed

    def read_exported(self) -> dict[str, str]:
        """The variables that the last page left."""
        pairs = (self.folder / "variables").read_text().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def _script(self, page: str, *, keep: bool) -> Iterator[str]:
        kept = self.folder / "kept.sh"
        if kept.exists():
            yield f"source '{kept}'"
        for block in read_blocks(page):
            if block.word.startswith("file="):
                (self.folder / block.word.removeprefix("file=")).write_text(block.text)
            elif block.word == "run":
                yield f"printf '{MARK}{block.line}\\n'"
                yield block.text if block.language == "sh" else self._python(block)
        if keep:
            yield f"{{ export -p; declare -f; }} > '{kept}'"
        yield "env -0 > variables"

    def _python(self, block: Block) -> str:
        name = f"line_{block.line}.py"
        (self.folder / name).write_text(block.text)
        return f"python {name}"

    def _environ(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**self.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def pair_outputs(page: str, printed: Mapping[int, str]) -> Iterator[tuple[int, Any, Any]]:
    """For each block `json output`: its line, what it shows, what the block before it printed."""
    ran = 0
    for block in read_blocks(page):
        if block.word == "run":
            ran = block.line
        elif block.word == "output":
            yield block.line, json.loads(block.text), json.loads(printed[ran])


def find_shape(value: Any) -> Any:
    """What two answers must have in common: names of fields and kinds of values, of a list its first entry.

    Null stands for any kind: a field that is empty in one answer may be filled in another.
    """
    if isinstance(value, dict):
        return {name: find_shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [find_shape(part) for part in value[:1]]
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


def is_alike(shown: Any, printed: Any) -> bool:
    """Whether two shapes agree."""
    if isinstance(shown, dict) and isinstance(printed, dict):
        same = shown.keys() == printed.keys()
        return same and all(is_alike(shown[name], printed[name]) for name in shown)
    if isinstance(shown, list) and isinstance(printed, list):
        return all(map(is_alike, shown, printed)) and bool(shown) == bool(printed)
    return bool(shown == printed) or "NoneType" in {str(shown), str(printed)}
