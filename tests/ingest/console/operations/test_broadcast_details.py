"""One broadcast at the console: its page, who has not read it, and the same as CSV."""

import csv
import io

from sqlalchemy import Engine, text

from storage.model.broadcast import ChunkState
from storage.postgres.broadcasts import expansion, failures
from storage.postgres.people.people_import import NewPerson, import_people
from tests.builders import add_people
from tests.ingest.api_server import Api
from tests.ingest.console.pages import get
from tests.storage.postgres.broadcasts.steps import expand_all, plan_all


def add_broadcast(engine: Engine, *, people: int) -> int:
    """A broadcast to so many people, which all of them have."""
    with engine.begin() as connection:
        add_people(connection, range(1001, 1001 + people))
    id = plan_all(engine)
    with engine.begin() as connection:
        expand_all(connection)
    return id


def test_a_broadcast_is_shown_with_what_fails_of_it(console: Api, engine: Engine) -> None:
    """The page of a broadcast has its numbers, its chunks by state, and each failing chunk with its error and next try."""
    with engine.begin() as connection:
        add_people(connection, range(1001, 1021))
    id = plan_all(engine)
    with engine.begin() as connection:
        bad = expansion.find_next_chunk(connection, after_app_id=0)
        assert bad is not None
        failures.record_chunk_failure(connection, bad, state=ChunkState.WAITING, error="no room")
    shown = get(console, f"broadcasts/{id}").json()
    assert (shown["id"], shown["status"], shown["failing"]) == (str(id), "EXPANDING", 1)
    assert shown["app_name"] == "OA系统"
    [part] = shown["parts"]
    assert (part["error"], part["attempts"]) == ("no room", 1)
    assert part["try_at"] is not None
    assert sum(one["people"] for one in shown["chunks"]) == shown["total"]
    for path in (f"broadcasts/{id + 1}", f"broadcasts/{id + 1}/unread", f"broadcasts/{id + 1}/unread.csv"):  # fmt: skip
        assert get(console, path).status_code == 404
    assert get(console, "broadcasts/x").status_code == 422


def test_who_has_not_read_a_broadcast_is_listed_by_pages(console: Api, engine: Engine) -> None:
    """Those who have not read a broadcast are listed fifty at a time, and the count of readers is brought up to date."""
    id = add_broadcast(engine, people=120)
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE deliveries SET read_at = now() "
                "WHERE message_id = :id AND user_id BETWEEN 1001 AND 1010"
            ),
            {"id": id},
        )
    found: list[str] = []
    after = "0"
    while after is not None:
        page = get(console, f"broadcasts/{id}/unread?after={after}").json()
        assert len(page["people"]) <= 50
        found += [one["user_id"] for one in page["people"]]
        after = page["next_after"]
    assert {str(number) for number in range(1011, 1121)} <= set(found)
    assert not {str(number) for number in range(1001, 1011)} & set(found)
    assert get(console, f"broadcasts/{id}/readers").status_code == 200
    assert get(console, f"broadcasts/{id}").json()["read"] == 10


def test_the_csv_is_whole_and_holds_no_formula(console: Api, engine: Engine) -> None:
    """The CSV has everybody who has not read it, opens in a spreadsheet with Chinese, and no cell of it is a formula."""
    formula = '=HYPERLINK("https://evil.example.com","Click")'
    with engine.begin() as connection:
        import_people(
            connection,
            [
                NewPerson(2001, "", formula, "", "ACTIVE", "ORDINARY_USER"),
                NewPerson(2002, "", "陈, “某”", "", "ACTIVE", "ORDINARY_USER"),
            ],
        )
    id = add_broadcast(engine, people=300)
    answer = get(console, f"broadcasts/{id}/unread.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="broadcast-{id}-unread.csv"'  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    names = {row["user_id"]: row["name"] for row in rows}
    assert len(rows) == len(names) == get(console, f"broadcasts/{id}").json()["total"]
    assert names["2001"] == "'" + formula
    assert names["2002"] == "陈, “某”"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
