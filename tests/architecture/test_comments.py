"""Comments and docstrings say why; what was measured stands in docs/performance.md, where it is dated and kept true."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import CLIENT, PACKAGES, ROOT

# Microseconds and milliseconds, percent, "four times as fast", "p99 of".
MEASURED = re.compile(
    r"\d ?(µs|ms\b)|\d ?%|\b(\d|two|three|four|five|six|seven|eight|nine|ten) times as (fast|long|much)"
    r"|\bp(50|99)\b|/s measured"
)
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

pytestmark = pytest.mark.quick


def prose(code: str) -> Iterator[str]:
    """Comments and docstrings of a module, each by itself."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, WITH_DOCSTRING):
            yield ast.get_docstring(node) or ""


def sources() -> Iterator[Path]:
    """Every module of ours but the benches, which are about figures."""
    for package in (*PACKAGES, CLIENT):
        for path in (ROOT / package).rglob("*.py"):
            if (ROOT / "ops/bench") not in path.parents:
                yield path


def test_no_comment_carries_a_measured_figure() -> None:
    """A figure in a comment has no date and no machine, and nobody measures it again."""
    found = {
        str(path.relative_to(ROOT)): text
        for path in sources()
        for text in prose(path.read_text(encoding="utf-8"))
        if MEASURED.search(text)
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "# it costs 30 µs a command",
        "# some 50 ms",
        "# 6 % of a send",
        "# takes four times as long",
        '"""A p99 of ninety."""',
    ],
)
def test_a_measured_figure_is_seen(text: str) -> None:
    """The check finds figures in comments and in docstrings."""
    assert [one for one in prose(text) if MEASURED.search(one)]
