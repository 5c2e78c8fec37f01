"""People: who they are, and the search in their names."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, text

from storage.model.caller import ACTIVE, DISABLED, Person
from storage.postgres.people import directory
from storage.postgres.people.name_grams import GramTexts, fold, grams
from storage.postgres.tables import users

pytestmark = pytest.mark.quick

# Few characters, so that searches meet names: cases that fold oddly, wildcards, an escape, pairs of
# units beyond the BMP, and U+8000, whose pairs share numbers with single characters.
CHARACTERS = "aAbBzZ019%_\\ 张三李Σσςİi̇É耀𠮷𠮸😀"
names = st.text(CHARACTERS, max_size=6)


def add(connection: Connection, id: int, *texts: str, **fields: object) -> None:
    """A person with these (mobile, name, english_name)."""
    row = dict(zip(("mobile", "name", "english_name"), texts, strict=False))
    connection.execute(insert(users).values(id=id, search_grams=grams(*texts), **row, **fields))


def search_ids(connection: Connection, q: str, *, limit: int = 20) -> list[int]:
    """The ids that a search finds."""
    return [person.id for person in directory.search(connection, q, limit=limit)]


def has(texts: tuple[str, str, str], q: str) -> bool:
    """The plain meaning of a search."""
    return any(fold(q) in fold(one) for one in texts)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(crowd=st.lists(st.tuples(names, names, names), max_size=8), q=names, window=st.booleans())
@example(crowd=[("", "", "%")], q="耀%", window=False)  # the pair has the number of the single one
def test_search_is_a_plain_substring_search(
    engine: Engine, crowd: list[tuple[str, str, str]], q: str, window: bool
) -> None:
    """For any names and any search, grams and index find exactly what a plain comparison finds."""
    with pytest.MonkeyPatch.context() as patch, engine.connect() as connection:
        patch.setattr(directory, "_WINDOW", 8_000 if window else 0)
        for id, texts in enumerate(crowd, start=1):
            add(connection, id, *texts)
        wanted = [id for id, texts in enumerate(crowd, start=1) if has(texts, q)]
        assert search_ids(connection, q) == wanted
        total, listed = directory.list_people(connection, q, skip=0, limit=100)
        assert (total, [person.id for person in listed]) == (len(wanted), wanted)
        connection.rollback()


@given(crowd=st.lists(st.tuples(names, names, names), min_size=1, max_size=8))
def test_many_people_at_once_have_the_grams_of_each(crowd: list[tuple[str, str, str]]) -> None:
    """The import's fast way gives everyone the same grams as the plain one."""
    told = [set(one.split(",")) - {""} for one in GramTexts().compute(crowd)]
    assert told == [set(map(str, grams(*texts))) for texts in crowd]


def test_letters_fold_as_postgresql_folds_them(engine: Engine) -> None:
    """`fold` is lower() of pg_c_utf8 for every character that both know (no case past U+1FFFF)."""
    everything = [chr(code) for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000]
    query = text(
        'SELECT one, lower(one COLLATE "pg_c_utf8") FROM unnest(CAST(:all AS text[])) AS one'
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"all": everything}).all()
    unlike = [one for one, lowered in rows if lowered != fold(one)]
    assert [one for one in unlike if one.lower() != one] == []
    assert len(unlike) < 100  # letters that are newer than this Python


def test_only_active_people_are_found_but_all_are_listed(engine: Engine) -> None:
    """A search leaves out who is disabled or deleted; a listing does not."""
    with engine.begin() as connection:
        add(connection, 1, "", "张三")
        add(connection, 2, "", "张四", status=DISABLED)
        add(connection, 3, "", "张五", is_deleted=True)
        assert search_ids(connection, "张") == [1]
        assert directory.list_people(connection, "张", skip=0, limit=9)[0] == 3
        assert directory.count_active(connection) == 1


def test_pages_follow_one_another_by_id(engine: Engine) -> None:
    """Pages of a listing are by id, without gap or repeat, and tell the whole number."""
    with engine.begin() as connection:
        for id in (5, 3, 9, 1, 7):
            add(connection, id, "", f"王{id}")
        pages = [
            directory.list_people(connection, "王", skip=skip, limit=2) for skip in (0, 2, 4, 6)
        ]
    assert [[person.id for person in page] for _, page in pages] == [[1, 3], [5, 7], [9], []]
    assert {total for total, _ in pages} == {5}


def test_many_people_with_a_keyword_are_counted_to_a_bound(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a keyword people are counted up to a bound, and all can be listed; without one everyone is counted."""
    monkeypatch.setattr(directory, "COUNTED_AT_MOST", 3)
    with engine.begin() as connection:
        for id in range(1, 6):
            add(connection, id, "", f"王{id}")
        total, page = directory.list_people(connection, "王", skip=2, limit=9)
        assert (total, [person.id for person in page]) == (3, [3, 4, 5])
        assert directory.list_people(connection, "", skip=0, limit=1)[0] == 5


def test_people_behind_the_window_are_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People who are not among the first in the table are found through the index, in the same order."""
    monkeypatch.setattr(directory, "_WINDOW", 2)
    with engine.begin() as connection:
        for id in range(1, 7):
            add(connection, id, "", "张三" if id in {2, 4, 6} else "李四")
        assert search_ids(connection, "张") == [2, 4, 6]
        assert search_ids(connection, "张", limit=2) == [2, 4]


def test_find_tells_who_somebody_is(engine: Engine) -> None:
    """`find` and `find_many` give people in any state, and nobody for an unknown id."""
    with engine.begin() as connection:
        add(connection, 1, "138", "张三", "Zhang San", status=DISABLED, role="ADMIN")
        add(connection, 2, "139", "李四")
        one = Person(1, "138", "张三", "Zhang San", DISABLED, "ADMIN", is_deleted=False)
        assert directory.find(connection, 1) == one
        assert directory.find(connection, 9) is None
        assert set(directory.find_many(connection, [1, 2, 9])) == {1, 2}
        assert directory.find_many(connection, []) == {}


def test_set_status_answers_who_it_was(engine: Engine) -> None:
    """A new status is stored and answered; an unknown person is None."""
    with engine.begin() as connection:
        add(connection, 1, "", "张三", status=DISABLED)
        changed = directory.set_status(connection, 1, status=ACTIVE)
        assert changed is not None
        assert changed.is_active
        assert directory.find(connection, 1) == changed
        assert directory.set_status(connection, 9, status=ACTIVE) is None
