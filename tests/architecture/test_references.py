"""Every rule, fault row, file, module and page that code and pages refer to is there.

A page or a module that is renamed fails here until everything that names it is put right.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture.references import (
    find_design_citations,
    find_lost_decisions,
    find_lost_files,
    find_lost_links,
    find_lost_modules,
    find_lost_rows,
    find_lost_rules,
    read_documented_rows,
    texts,
)
from tests.faults.rows import ROWS, Row

pytestmark = pytest.mark.quick

Kind = Callable[[Path, str], Iterator[str]]
# Each with a text of such references, and those of them that lead nowhere.
KINDS: dict[Kind, tuple[str, list[str]]] = {
    find_lost_rules: (
        "contract §2, Order; contract §4, §77; (contract §2, no part); contract §5, Resume",
        ["contract §4, §77", "contract §2, no part"],
    ),
    find_lost_rows: ("fault row 8; fault matrix, rows 14 and 99", ["fault matrix, rows 14 and 99"]),
    find_design_citations: ("as design\n# §2 says", ["design §2"]),
    find_lost_decisions: ("decision 5, Decision 905", ["Decision 905"]),
    find_lost_files: (
        "ops/http_probe.py storage/{model,nowhere}/__init__.py `ops/nowhere/` `rows/workers.py` `nowhere.py`",
        ["storage/{model,nowhere}/__init__.py", "ops/nowhere/", "nowhere.py"],
    ),
    find_lost_modules: (
        "`storage.model.errors.CarillonError` `storage.model.nowhere` `ops.cli`",
        ["storage.model.nowhere"],
    ),
    find_lost_links: (
        "[one](docs/faults.md#the-rows) [two](docs/faults.md#nowhere) [three](nowhere.md)",
        ["docs/faults.md#nowhere", "nowhere.md"],
    ),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_reference_leads_somewhere(kind: Kind) -> None:
    """Nothing in code or pages refers to a rule, row, file, module or page that is not there."""
    lost = {
        str(path): found for path, text in texts().items() if (found := sorted({*kind(path, text)}))
    }
    assert lost == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_reference_that_leads_nowhere_is_seen(kind: Kind) -> None:
    """Each kind of check finds exactly the references of its kind that lead nowhere."""
    text, lost = KINDS[kind]
    assert [*kind(Path("README.md"), text)] == lost


def find_file(row: Row) -> str:
    """The file of a row, as a path in tests/faults/rows."""
    return row.run.__module__.removeprefix("tests.faults.rows.").replace(".", "/") + ".py"


def test_the_fault_matrix_is_documented_as_it_is_run() -> None:
    """Every row of the harness is a line of docs/faults.md, with its mark, its file and its function."""
    lines = read_documented_rows()
    wrong = [
        row.number
        for row in ROWS
        if row.is_marked != lines.get(row.number, "").startswith(f"| {row.number} • ")
        or f"`{find_file(row)}`, `{row.run.__name__}`" not in lines[row.number]
    ]
    assert wrong == []
