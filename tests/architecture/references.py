"""What code and pages refer to, and what of it leads nowhere: one function for each kind of reference.

A reference is looked for in the text as it stands, prose and code alike.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

from tests.architecture.sources import PACKAGES, ROOT

MODULES = (*PACKAGES, "tests")
FOLDERS = (*MODULES, "docs", "clients")
CODE = {".py", ".toml", ".yml", ".yaml", ".html", ".css", ".js", ".sh", ".mako"}
# It holds references that lead nowhere, to see them found.
TEST = "test_references.py"
# It names things as they were called then; its links lead to what is there now.
HISTORY = "CHANGELOG.md"
# Not ours: what pages take from npm.
VENDORED = {"vendor", "swagger_ui", "node_modules"}

# ── texts ──


@cache
def ours() -> tuple[Path, ...]:
    """Every file of ours, by its path in the repository."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return tuple(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts)


@cache
def texts() -> dict[Path, str]:
    """What is written in those that may refer to something."""
    return {
        path: (ROOT / path).read_text(encoding="utf-8")
        for path in ours()
        if path.suffix in CODE | {".md"} or path.name in {"Makefile", "Dockerfile"}
        if path.name != TEST and not VENDORED & set(path.parts)
    }


@cache
def paths() -> str:
    """Every file and folder, a line each, with a slash in front."""
    found = {f"/{one.as_posix()}" for path in ours() for one in (path, *path.parents)}
    return "\n".join(sorted(found))


def headings(text: str) -> list[str]:
    """The headings of a page, as they are shown."""
    outside_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [found[1].strip() for found in re.finditer(r"^#+ (.+)$", outside_code, re.MULTILINE)]


# ── kinds of reference: each yields what does not resolve ──

# A part begins with a capital letter, or ends with the bracket that the citation stands in.
_CITATION = re.compile(
    r"\b[Cc]ontract §\d+(?:(?:, | and | to )§\d+)*(?:, (?P<part>[A-Z][\w -]{0,40}|[^§()]{1,40}(?=\))))?"
)


def sections() -> dict[str, list[str]]:
    """The parts of each section of the contract."""
    found: dict[str, list[str]] = {}
    parts: list[str] = []
    for line in (ROOT / "docs/contract.md").read_text(encoding="utf-8").splitlines():
        if section := re.match(r"## (\d+)\. ", line):
            parts = found[section[1]] = []
        elif line.startswith("### "):
            parts.append(line.removeprefix("### "))
    return found


def find_lost_rules(_path: Path, text: str) -> Iterator[str]:
    """Citations of the contract that lead to no heading of it: `contract §2`, or `contract §2, Order`."""
    known = sections()
    for found in _CITATION.finditer(_one_line(text)):
        numbers = re.findall(r"§(\d+)", found[0])
        parts = [part for number in numbers for part in known.get(number, ())]
        part = found["part"]
        if not set(numbers) <= set(known) or (part and not _begins(part, parts)):
            yield found[0]


def _begins(text: str, parts: list[str]) -> bool:
    return any(re.match(rf"{re.escape(part)}\b", text, re.IGNORECASE) for part in parts)


_ROWS = re.compile(
    r"\b(?:fault(?: matrix)?|matrix),? rows? (\d+)((?:, | and | to )\d+)*", re.IGNORECASE
)


def read_documented_rows() -> dict[int, str]:
    """The lines of docs/faults.md that are rows, by number."""
    text = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    return {int(row[1]): row[0] for row in re.finditer(r"^\| (\d+) .*$", text, re.MULTILINE)}


def find_lost_rows(_path: Path, text: str) -> Iterator[str]:
    """Citations of fault rows that docs/faults.md does not have."""
    for found in _ROWS.finditer(_one_line(text)):
        if not {int(number) for number in re.findall(r"\d+", found[0])} <= set(
            read_documented_rows()
        ):
            yield found[0]


def find_design_citations(_path: Path, text: str) -> Iterator[str]:
    """Citations of a page that is not in the repository."""
    for found in re.finditer(r"\bdesign §\w*", _one_line(text), re.IGNORECASE):
        yield found[0]


_DECISION = re.compile(r"\bdecision (\d+)\b|(?<![\w./-])(0\d{3})(?![\w.-])", re.IGNORECASE)


def find_lost_decisions(path: Path, text: str) -> Iterator[str]:
    """Numbers of decisions that have no page; among the pages themselves a bare `0012` is one."""
    for found in _DECISION.finditer(_one_line(text)):
        is_one = found[1] or path.parent.name == "decisions"
        if is_one and not _is_there(f"docs/decisions/{int(found[1] or found[2]):04}-*.md"):
            yield found[0]


_FILE = re.compile(
    rf"(?<![\w./*-])(?:\*|{'|'.join(FOLDERS)})/(?:[\w./*-]|\{{[^}}\s]*\}})*\.(?:py|md|toml|ya?ml|sh|mako)\b"
)


def find_lost_files(path: Path, text: str) -> Iterator[str]:
    """Files that are named by their path and are not there. Braces and asterisks stand for several."""
    for found in _FILE.finditer(text) if path.name != HISTORY else ():
        if not _is_there(found[0]):
            yield found[0]
    for token in re.findall(r"`([^`\n ]+)`", text) if path.name != HISTORY else ():
        is_path = token.startswith(tuple(f"{folder}/" for folder in FOLDERS))
        is_named = path.suffix == ".md" and is_path and not _FILE.match(token)
        if (is_named or re.fullmatch(r"[\w/]+\.py", token)) and not _is_there(token):
            yield token


@cache
def _is_there(name: str) -> bool:
    """Whether there is such a path: from the top if it begins there, else the end of one."""
    start = "^/" if name.startswith(tuple(f"{folder}/" for folder in FOLDERS)) else "/"
    return all(
        re.search(f"{start}{_pattern(one)}$", paths(), re.MULTILINE) for one in _spell_out(name)
    )


def _spell_out(name: str) -> list[str]:
    """`x{a,b}` as `xa` and `xb`; `x{a}` is x and anything, as in a format string."""
    name = re.sub(r"\{[^},]*\}", "*", name)
    parts = re.split(r"\{([^}]*)\}", name.rstrip("/"))
    choices = [part.split(",") if place % 2 else [part] for place, part in enumerate(parts)]
    return ["".join(one) for one in product(*choices)]


def _pattern(name: str) -> str:
    return re.escape(name).replace(r"\*", "[^/\\n]*")


_MODULE = re.compile(rf"`((?:{'|'.join(MODULES)})(?:\.(?!py`)\w+)+)(?:\(\))?`")


def find_lost_modules(path: Path, text: str) -> Iterator[str]:
    """Dotted names of ours that are no module, nor a word in the module that they begin with."""
    for name in _MODULE.findall(text) if path.name != HISTORY else ():
        place, *rest = name.split(".")
        module = f"{place}/__init__.py"
        while rest and (found := _module(f"{place}/{rest[0]}")):
            place, module = f"{place}/{rest.pop(0)}", found
        words = re.findall(r"\w+", (ROOT / module).read_text(encoding="utf-8"))
        if not set(words) >= set(rest):
            yield name


def _module(place: str) -> str | None:
    """The file of the module or package at `place`, if there is one."""
    return next(
        (f"{place}{end}" for end in (".py", "/__init__.py") if Path(f"{place}{end}") in ours()),
        None,
    )


_LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)")


def find_lost_links(path: Path, text: str) -> Iterator[str]:
    """Relative links of a page to a file, or a heading of it, that is not there."""
    for target, anchor in _LINK.findall(text) if path.suffix == ".md" else ():
        file = (ROOT / path.parent / target) if target else ROOT / path
        if not file.exists():
            yield target
        elif anchor and anchor not in _anchors(file.read_text(encoding="utf-8")):
            yield f"{target}#{anchor}"


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives headings."""
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings(text)}


def _one_line(text: str) -> str:
    """The text without the line ends that prose and comments have in the middle of a sentence."""
    return re.sub(r"\s*\n\s*(?:# ?|-- ?)?", " ", text)
