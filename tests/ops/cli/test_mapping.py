"""`carillon mapping`: accounts of an app are imported."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from storage.postgres.people import apps
from tests.builders import add_app, add_people
from tests.ops.cli.command import carillon, csv_file, refusal

pytestmark = pytest.mark.quick

HEADER = "app_user_id,user_id,email"


@pytest.fixture(autouse=True)
def _world(engine: Engine) -> None:
    with engine.begin() as connection:
        add_people(connection, [1, 2, 3])
        add_app(connection, 7)


def resolve_accounts(engine: Engine) -> dict[str, int]:
    """The accounts of app 7 that these tests use."""
    with engine.connect() as connection:
        return apps.resolve_many(connection, 7, app_user_ids=["zs", "ls", "w\\5"])


def test_accounts_come_in_and_are_brought_up_to_date(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """An import adds new accounts and changes known ones; accounts that are not in the file stay as they are."""
    path = csv_file(tmp_path, HEADER, "zs,1,zs@a.cn", "w\\5,2,")
    result = carillon(environ, "mapping", "import", "app_7", path)
    assert result.stdout == "2 accounts new, 0 changed.\n", result.output
    path = csv_file(tmp_path, "user_id,email,app_user_id", "3,zs@a.cn,zs", "2,,ls")
    assert (
        "1 accounts new, 1 changed" in carillon(environ, "mapping", "import", "app_7", path).stdout
    )
    assert resolve_accounts(engine) == {"zs": 3, "w\\5": 2, "ls": 2}


BAD_FILES = {
    "an unknown user": (["zs,1,", "ls,2,", "w5,99,"], "Row 4: There is no user 99"),
    "an account twice": (["zs,1,", "zs,2,"], "Row 3: “zs” is in row 2 already"),
    "an empty account": ([",1,"], "Row 2: app_user_id has to have"),
    "a shortened account": (["1.38E+10,1,"], "Row 2: the app_user_id “1.38E+10” was shortened"),
    "a shortened user id": (["zs,1.38E+10,"], "Row 2: the user_id “1.38E+10” was shortened"),
    "a user id past 2^53 behind zeros": (
        ["zs,009007199254740992,"],
        "is not a user id",
    ),
    "a bad user id": (["zs,-1,"], "Row 2: “-1” is not a user id"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_row_is_named_and_nothing_is_imported(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path, name: str
) -> None:
    """A file with anything wrong is refused in one sentence with the row and exit code 1, and no account is imported."""
    lines, sentence = BAD_FILES[name]
    path = csv_file(tmp_path, HEADER, *lines)
    assert sentence in refusal(carillon(environ, "mapping", "import", "app_7", path))
    assert resolve_accounts(engine) == {}


def test_an_unknown_app_is_a_sentence(environ: Mapping[str, str], tmp_path: Path) -> None:
    """A string id that no app has is named, with exit code 1."""
    result = carillon(environ, "mapping", "import", "nope", csv_file(tmp_path, HEADER))
    assert "There is no app nope." in refusal(result)
