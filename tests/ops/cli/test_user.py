"""`carillon user`: imports, and letting people in and out."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from ops.local.polling import wait_until
from storage.postgres.driver_errors import translate_driver_errors
from storage.postgres.people import directory
from storage.postgres.people.people_import import Imported, NewPerson, import_people
from storage.settings import ValkeySettings, load
from storage.valkey.bus_streams import STREAMS
from storage.valkey.connection import make_client
from tests.ops.cli.command import carillon, csv_file, refusal

pytestmark = pytest.mark.quick

HEADER = "id,mobile,name,english_name,status,role"


def ids(engine: Engine) -> list[int]:
    """Everyone who is in the record."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM users ORDER BY id")).scalars())


def find_disabled(environ: Mapping[str, str]) -> set[int]:
    """The ids that gateways refuse."""
    valkey = make_client(load(ValkeySettings, environ))
    with valkey:
        return {int(one) for one in valkey.smembers("carillon:disabled")}


def events(environ: Mapping[str, str]) -> int:
    """How many things gateways have been told."""
    with make_client(load(ValkeySettings, environ)) as valkey:
        return sum(int(valkey.xlen(stream)) for stream in STREAMS)


def test_people_come_in_and_are_found(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """An import stores every column, fills in what is empty, and makes people findable."""
    path = csv_file(
        tmp_path,
        HEADER,
        "1,13800138000,张三,Zhang San,ACTIVE,ADMIN",
        '2,139,"李, 四\\",,,',
        "",
        "3, 137 ,王五,Wang,inactive,HR_LEAD",
    )
    result = carillon(environ, "user", "import", path)
    assert result.stdout == "3 people: 3 new, 0 changed, 0 as before.\n", result.output
    with engine.connect() as connection:
        everyone = directory.find_many(connection, [1, 2, 3])
        assert [one.id for one in directory.search(connection, "三", limit=9)] == [1]
        assert [one.id for one in directory.search(connection, ", 四\\", limit=9)] == [2]
    assert (everyone[1].role, everyone[1].english_name) == ("ADMIN", "Zhang San")
    assert (everyone[2].status, everyone[2].role) == ("ACTIVE", "ORDINARY_USER")
    assert (everyone[3].status, everyone[3].mobile) == ("INACTIVE", "137")


def test_the_same_file_again_changes_nothing(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """An import that is repeated writes no row; a changed name is written and found, and the old one is not found any more."""
    path = csv_file(tmp_path, HEADER, "1,,张三,,,", "2,,李四,,,")
    carillon(environ, "user", "import", path)
    assert "0 new, 0 changed, 2 as before" in carillon(environ, "user", "import", path).stdout
    path = csv_file(tmp_path, HEADER, "1,,赵六,,,", "2,,李四,,,", "3,,孙七,,,")
    assert "1 new, 1 changed, 1 as before" in carillon(environ, "user", "import", path).stdout
    with engine.connect() as connection:
        assert [one.id for one in directory.search(connection, "赵", limit=9)] == [1]
        assert directory.search(connection, "张", limit=9) == []


BAD_FILES = {
    "a column is missing": (["id,mobile,name,status,role", "1,,,,"], "no column “english_name”"),
    "a column is there twice": ([f"{HEADER},id", "1,,,,,,1"], "more than one column “id”"),
    "the file is empty": ([], "no column “id”"),
    "an id is there twice": ([HEADER, "1,,,,,", "2,,,,,", "1,,,,,"], "Row 4: the id 1 is in row 2"),
    "an id is no number": ([HEADER, "1,,,,,", "x1,,,,,"], "Row 3: “x1” is not a user id"),
    "an id is too large": ([HEADER, f"{2**53},,,,,"], "Row 2: “9007199254740992” is not"),
    "an id is not ASCII": ([HEADER, "１,,,,,"], "Row 2: “１” is not a user id"),
    "an id is too large behind zeros": ([HEADER, f"00{2**53},,,,,"], "is not a user id"),
    "an id is all zeros": ([HEADER, f"{'0' * 20},,,,,"], "is not a user id"),
    "an id was shortened": (
        [HEADER, "1.23457E+12,,,,,"],
        "Row 2: the id “1.23457E+12” was shortened",
    ),
    "a mobile was shortened": (
        [HEADER, "1,1.38E+10,,,,"],
        "Row 2: the mobile “1.38E+10” was shortened",
    ),
    "a mobile was shortened by pandas": (
        [HEADER, "1,1.38e10,,,,"],
        "the mobile “1.38e10” was shortened",
    ),
    "a mobile was shortened in Europe": (
        ["id;mobile;name;english_name;status;role", "1;1,38E+10;;;;"],
        "Row 2: the mobile “1,38E+10”",
    ),
    "a status is unknown": ([HEADER, "1,,,,ACTVE,"], "Row 2: “ACTVE” is not a status"),
    "a role is no word": ([HEADER, "1,,,,,a-b"], "Row 2: “A-B” is not a role"),
    "a field is missing": ([HEADER, "1,,,,,", "2,,,,"], "Row 3: has 5 fields, the header 6"),
    "a field has a line break": ([HEADER, '1,,"a\nb",,,'], "Row 2: has a line break"),
    "a field has a NUL": ([HEADER, "1,,a\0b,,,"], "Row 2: has a line break, a tab"),
    "a name is too long": ([HEADER, f"1,,{'a' * 256},,,"], "Row 2: a name or mobile is longer"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_row_is_named_and_nothing_is_imported(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path, name: str
) -> None:
    """A file with anything wrong is refused in one sentence with the row and exit code 1, and nobody is imported."""
    lines, sentence = BAD_FILES[name]
    result = carillon(environ, "user", "import", csv_file(tmp_path, *lines))
    assert sentence in refusal(result).replace("\n", " ")
    assert ids(engine) == []


def test_row_17_of_many_thousand_is_named(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """Rows before a bad row are not kept, even if they were written to the record already."""
    lines = [f"{id},,人{id},,," for id in range(1, 5_000)]
    lines[15] = "0,,人,,,"
    assert "Row 17:" in refusal(
        carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    )
    lines[15], lines[4_000] = "16,,人,,,", "3,,人,,,"
    result = carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    assert "Row 4002: the id 3 is in row 4 already" in refusal(result)
    assert ids(engine) == []


# As Excel and its kin write them: what the file holds after the header, and each person's mobile.
KIND_FILES = {
    "rows of commas": ([HEADER, "1,138,,,,", ",,,,,", " , ,,,, ", ",,", "2,139,,,,"], ["138", "139"]),
    "semicolons": ([HEADER.replace(",", ";"), "1;138;;;;", ";;;;;", '2;"13;9";;;;'], ["138", "13;9"]),
    "tabs": ([HEADER.replace(",", "\t"), "1\t138\t\t\t\t", "2\t139\t\t\t\t"], ["138", "139"]),
    "zeros in front": ([HEADER, f"{'0' * 30}1,0138,,,,", "0002,139,,,,"], ["0138", "139"]),
    "decimals": ([HEADER, "1.0,13800138000.0,,,,", "2,139.00,,,,"], ["13800138000", "139"]),
    "marks of text": ([HEADER, "'1,'13800138000,,,,", '"=""2""","=""139""",,,,'], ["13800138000", "139"]),
    "what is a mobile all the same": ([HEADER, "1,+86 138-0013,,,,", "2,1.5,,,,"], ["+86 138-0013", "1.5"]),
}  # fmt: skip


@pytest.mark.parametrize("name", KIND_FILES)
def test_what_spreadsheets_add_is_taken_off(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path, name: str
) -> None:
    """Empty rows, other delimiters, zeros in front, decimals and marks of text import as they are meant."""
    lines, mobiles = KIND_FILES[name]
    result = carillon(environ, "user", "import", csv_file(tmp_path, *lines))
    assert result.stdout == "2 people: 2 new, 0 changed, 0 as before.\n", result.output
    with engine.connect() as connection:
        everyone = directory.find_many(connection, [1, 2])
    assert [everyone[id].mobile for id in (1, 2)] == mobiles


@pytest.mark.parametrize(
    "encoding",
    ["undefined", "idna", "punycode", "base64", "utf-16", "utf-32-le", "cp037", "unicode_escape", "none-such", ""],
)  # fmt: skip
def test_an_encoding_that_no_file_is_in_is_a_sentence(
    environ: Mapping[str, str], tmp_path: Path, encoding: str
) -> None:
    """An encoding that Python lacks, is not of text, or cannot be read line by line is a usage error."""
    path = csv_file(tmp_path, HEADER, "1,,,,,")
    result = carillon(environ, "user", "import", path, "--encoding", encoding)
    assert result.exit_code == 2, result.output
    assert "Invalid value for '--encoding'" in result.stderr


def test_an_empty_status_or_role_stays_as_it_is(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """A file without statuses and roles shuts nobody out, lets nobody in, and demotes nobody."""
    first = csv_file(tmp_path, HEADER, "1,,张,,,ADMIN", "2,,李,,DISABLED,", "3,,王,,,")
    carillon(environ, "user", "import", first)
    again = csv_file(tmp_path, HEADER, "1,,张,,,", "2,,李四,,,", "3,,王,,,", "4,,赵,,,")
    result = carillon(environ, "user", "import", again)
    assert "1 new, 1 changed, 2 as before." in result.stdout
    with engine.connect() as connection:
        everyone = directory.find_many(connection, [1, 2, 3, 4])
    assert [(one.status, one.role) for _, one in sorted(everyone.items())] == [
        ("ACTIVE", "ADMIN"),
        ("DISABLED", "ORDINARY_USER"),
        ("ACTIVE", "ORDINARY_USER"),
        ("ACTIVE", "ORDINARY_USER"),
    ]
    assert everyone[2].name == "李四"
    assert find_disabled(environ) == {2}


def test_the_summary_says_what_changed(environ: Mapping[str, str], tmp_path: Path) -> None:
    """What changed is counted in words: who was shut out, let in, given another role, name or mobile."""
    lines = ["1,138,张,,,ADMIN", "2,139,李,,DISABLED,", "3,137,王,,,", "4,,赵,,,"]
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    lines = ["1,138,张,,DISABLED,HR", "2,136,李,,active,", "3,137,王五,,,", "4,,赵,,,"]
    result = carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    assert result.stdout == (
        "4 people: 0 new, 3 changed, 1 as before.\n"
        "Changed: 1 shut out, 1 let in again, 1 given another role, 1 given another name, "
        "1 given another mobile.\n"
    )
    result = carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    assert result.stdout == "4 people: 0 new, 0 changed, 4 as before.\n"


def test_a_person_who_is_shut_out_during_an_import_stays_out(engine: Engine) -> None:
    """A row without a status takes the status that its person has once the row is locked: a slow import lets nobody in."""
    row = NewPerson(1, "138", "张三", "", "", "")
    with engine.begin() as connection:
        import_people(connection, [row])
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            directory.set_status(connection, 1, status="DISABLED")
            importing = pool.submit(_import_alone, engine, row._replace(name="张四"))
            assert wait_until(lambda: _is_waiting(engine), seconds=10)
        assert importing.result(timeout=10).changed == 1
    with engine.connect() as connection:
        person = directory.find(connection, 1)
    assert person is not None
    assert (person.name, person.status) == ("张四", "DISABLED")


def _import_alone(engine: Engine, row: NewPerson) -> Imported:
    with engine.begin() as connection:
        return import_people(connection, [row])


def _is_waiting(engine: Engine) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO users%'"
    with engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


def test_first_imports_at_once_wait_for_one_another(engine: Engine) -> None:
    """Four first imports of an organisation at once all succeed, even if each has read its file before the others write."""
    together = Barrier(4)

    def rows(start: int) -> Iterator[NewPerson]:
        yield from (NewPerson(id, "", "张", "", "", "") for id in range(start, start + 10_001))
        together.wait(60)

    def one(start: int) -> int:
        with translate_driver_errors(), engine.begin() as connection:
            return import_people(connection, rows(start)).added

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(one, (1, 5_001, 10_001, 15_001)))
    assert sum(added) == 25_001


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_read(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path, encoding: str
) -> None:
    """A file in UTF-8, with or without a byte order mark, or in the encoding that --encoding names, is read."""
    path = csv_file(tmp_path, HEADER, "1,,张三,,,", encoding=encoding)
    options = [] if encoding.startswith("utf-8") else ["--encoding", encoding]
    result = carillon(environ, "user", "import", path, *options)
    assert result.exit_code == 0, result.output
    with engine.connect() as connection:
        assert [one.name for one in directory.search(connection, "", limit=9)] == ["张三"]


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [("gb18030", "Row 3: is not utf-8"), ("utf-16", "The file is UTF-16")],
)
def test_another_encoding_is_named(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path, encoding: str, sentence: str
) -> None:
    """A file that is not UTF-8 is refused with what to do, not read as nonsense."""
    path = csv_file(tmp_path, HEADER, "1,,a,,,", "2,,张三,,,", encoding=encoding)
    assert sentence in refusal(carillon(environ, "user", "import", path))
    assert ids(engine) == []


def test_a_file_that_is_not_there(environ: Mapping[str, str], tmp_path: Path) -> None:
    """A file that is not there is a sentence."""
    path = tmp_path / "none.csv"
    assert "cannot be read" in refusal(carillon(environ, "user", "import", path))


def test_a_first_import_has_its_index(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """The first import of an organisation, which builds its index afterwards, leaves the same schema and finds people."""
    lines = [f"{id},,人{id},,," for id in range(1, 10_102)]
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))
    query = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'users_search_grams'")
    with engine.connect() as connection:
        definition = connection.execute(query).scalar_one()
        assert directory.list_people(connection, "人", skip=0, limit=1)[0] == 10_101
        assert [one.id for one in directory.search(connection, "人10101", limit=9)] == [10_101]
    assert definition.endswith("ON public.users USING gin (search_grams)")


def test_who_is_not_active_any_more_is_disconnected(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    """An import tells gateways whom it shuts out, newcomers included, and whom it lets in."""
    carillon(
        environ, "user", "import", csv_file(tmp_path, HEADER, "1,,,,,", "2,,,,DISABLED,", "3,,,,,")
    )
    assert find_disabled(environ) == {2}
    path = csv_file(tmp_path, HEADER, "1,,,,INACTIVE,", "2,,,,ACTIVE,", "3,,,,,")
    carillon(environ, "user", "import", path)
    assert find_disabled(environ) == {1}


def test_a_person_is_shown_disabled_and_enabled(
    environ: Mapping[str, str], engine: Engine, tmp_path: Path
) -> None:
    """`show` prints JSON; `disable` and `enable` change the record and tell gateways, also when they are repeated."""
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, "1,138,张三,,,", "2,,,,,"))
    assert json.loads(carillon(environ, "user", "show", 1).stdout)["name"] == "张三"
    for _ in range(2):
        before = events(environ)
        assert carillon(environ, "user", "disable", 1, 2).exit_code == 0
        assert events(environ) == before + 2
        assert find_disabled(environ) == {1, 2}
    assert json.loads(carillon(environ, "user", "show", 1).stdout)["status"] == "DISABLED"
    assert carillon(environ, "user", "enable", 1).stdout == "User 1 is enabled.\n"
    assert find_disabled(environ) == {2}


@pytest.mark.parametrize("command", ["show", "disable", "enable"])
def test_an_unknown_person_is_a_sentence(environ: Mapping[str, str], command: str) -> None:
    """An id that nobody has is named, with exit code 1."""
    assert "There is no user 9." in refusal(carillon(environ, "user", command, 9))


def test_people_are_listed_by_page_keyword_and_status(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    """`user list` shows people by id, a page after the other, all or those with a keyword or a status."""
    lines = ["1,138,张三,Zhang San,,", "2,139,李四,Li Si,DISABLED,", "3,137,张五,,,ADMIN"]
    carillon(environ, "user", "import", csv_file(tmp_path, HEADER, *lines))

    def list_ids(*options: object) -> list[int]:
        told = carillon(environ, "user", "list", "--json", *options).stdout
        return [json.loads(line)["id"] for line in told.splitlines()]

    assert list_ids() == [1, 2, 3]
    assert list_ids("--keyword", "张") == [1, 3]
    assert list_ids("--keyword", "LI S") == list_ids("--status", "DISABLED") == [2]
    assert list_ids("--keyword", "张", "--after", 1) == [3]
    assert list_ids("--keyword", "nobody of this name") == []
    first = carillon(environ, "user", "list", "--limit", 2)
    assert "There are more: --after 2" in first.stderr
    assert "There are more" not in carillon(environ, "user", "list", "--limit", 3).stderr
    assert carillon(environ, "user", "list", "--after", 3).stdout == "There is nobody.\n"
    assert "张三" in carillon(environ, "user", "list").stdout
