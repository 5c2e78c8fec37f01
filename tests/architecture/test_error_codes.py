"""Every error that can reach a caller has a code of the table, and the table has no others (contract §0, Errors)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.errors_page import render_errors_page
from storage.model.error_codes import ErrorCode
from tests.architecture.sources import ROOT, list_modules

# What a caller reaches: the command `carillon` raises errors of these classes as well, and prints their sentences.
DOORS = ("ingest", "push_gateway", "storage")
# A client acts differently on each thing that may be absent, forbidden or in conflict.
NEED_A_CODE = {"NotFound", "NotAllowed", "InConflict"}
TABLE = Path("storage/model/error_codes.py")

pytestmark = pytest.mark.quick


def list_calls(module: Path) -> Iterator[ast.Call]:
    """Every call in a module."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_errors_that_are_told_apart_name_their_code() -> None:
    """A 403, 404 or 409 that can reach a caller says which one it is: the class's general code is for `carillon` only."""
    vague = [
        f"{module}:{call.lineno}"
        for module in list_modules(*DOORS)
        for call in list_calls(module)
        if isinstance(call.func, ast.Name)
        and call.func.id in NEED_A_CODE
        and "code" not in {keyword.arg for keyword in call.keywords}
    ]
    assert vague == [], (
        "give it code=ErrorCode.…; a new one goes into storage/model/error_codes.py, then: make docs"
    )


def test_every_code_is_in_use() -> None:
    """A code of the table stands somewhere in the code of a process, so that the page lists nothing that never comes."""
    text = "".join(
        (ROOT / module).read_text(encoding="utf-8")
        for module in list_modules(*DOORS, "ops/http")
        if module != TABLE
    )
    used = set(re.findall(r"ErrorCode\.([A-Z_]+)", text))
    assert used == {code.name for code in ErrorCode}


def test_codes_are_words_with_a_sentence_each() -> None:
    """A code is a word in capitals; what it means and what to do are whole sentences."""
    for code in ErrorCode:
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code.name)
        assert all(text[0].isupper() or text[0] == "`" for text in (code.meaning, code.advice))
        assert all(text.endswith(".") for text in (code.meaning, code.advice)), code.name


def test_the_page_of_errors_is_what_the_code_says() -> None:
    """`docs/api/errors.md` is exactly what `make docs` would write now."""
    assert (ROOT / "docs/api/errors.md").read_text() == render_errors_page(), "run: make docs"
