"""The steps of a page in `docs/operations/`, run as an operator would run them.

A block that is marked `sh run` is run; which of them, and when, is said by the heading that it stands under and its place
there. Variables that a block exports are there for the next one.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.child import Account

FOLDER = Path(__file__).parents[2] / "docs/operations"
_BLOCK = re.compile(r"^( *)```sh run\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATIENCE = 200


def list_steps(page: str) -> Iterator[tuple[str, str]]:
    """The heading and the text of each block that is to be run."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    fences = [
        (one.start(), one.end())
        for one in re.finditer(r"^ *```.*?^ *```$", text, re.MULTILINE | re.DOTALL)
    ]
    headings = [
        one
        for one in _HEADING.finditer(text)
        if not any(begin < one.start() < end for begin, end in fences)
    ]
    for block in _BLOCK.finditer(text):
        above = [one[1] for one in headings if one.start() < block.start()]
        yield above[-1], textwrap.dedent(block[2])


@dataclass
class Operator:
    """An operator's shell in a folder of its own.

    `replaced`: texts of the pages that mean something else here. `account`: who the operator is (None: who we are).
    `binaries`: a folder of programs besides ours.
    """

    folder: Path
    environ: dict[str, str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    binaries: Path | None = None
    done: set[tuple[str, str, int]] = field(default_factory=set)

    def run(self, page: str, heading: str, number: int = 0) -> str:
        """Run the block `number` under `heading`, and return what it printed; fails the test if it fails."""
        blocks = [text for above, text in list_steps(page) if above == heading]
        self.done.add((page, heading, number))
        return self.type(blocks[number])

    def type(self, text: str) -> str:
        """Run some lines; what they export stays."""
        for there, here in self.replaced.items():
            text = text.replace(there, here)
        script = f"{text}\nexport -p >exported.sh\n"
        if (self.folder / "exported.sh").exists():
            script = f". ./exported.sh\n{script}"
        folders = [Path(sys.executable).parent, *([self.binaries] if self.binaries else [])]
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
        account = self.account
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={"PATH": path, "HOME": str(self.folder), **self.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout
