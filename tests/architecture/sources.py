"""Our Python files, for tests that look at their text, their length or their names."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("ingest", "workers", "push_gateway", "storage", "ops")
# The SDK: installed with them, and alone where nothing of ours is.
CLIENT = "clients/python/carillon_client"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def list_modules(*folders: str) -> tuple[Path, ...]:
    """Every Python file under these top folders, by its path in the repository, in order."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT) for path in found))


def count_lines(module: Path) -> int:
    """The number of lines of a module, blank ones and comments too."""
    return len((ROOT / module).read_text(encoding="utf-8").splitlines())


def list_functions(code: str) -> Iterator[Function]:
    """The functions of a module and the methods of its classes; what is defined inside of a function is left out."""
    waiting: list[ast.AST] = [ast.parse(code)]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, Function):
                yield node
            else:
                waiting.append(node)
