"""Erasing a person: what apps are told of their reads (contract §9; docs/decisions/0035-erasure.md)."""

from sqlalchemy import Engine, text

from tests.builders import add_app, add_people
from tests.storage.postgres.app_events.steps import ask_for, list_all, number_all, write
from tests.storage.postgres.personal_data.steps import LI, begin, let_time_pass, work_off


def test_apps_are_not_told_of_an_erased_persons_reads(engine: Engine) -> None:
    """Raw reads of the person go, gathered ones are taken out of their events, and those of others stay in order."""
    with engine.begin() as connection:
        add_people(connection, range(1, 8))
        add_app(connection)
    ask_for(engine)
    read_by(engine, 3, LI, 4)
    number_all(engine)
    read_by(engine, LI)
    with engine.begin() as connection:
        write(connection, 1)
        connection.execute(text("UPDATE app_callbacks SET reads_gathered_at = NULL"))
    number_all(engine)
    read_by(engine, 5, LI, 6, LI)
    begin(engine)
    read_by(engine, LI)
    work_off(engine)
    read_by(engine, LI)
    let_time_pass(engine)
    work_off(engine)
    with engine.begin() as connection:
        waiting = connection.execute(text("SELECT user_id FROM app_reads ORDER BY number"))
        assert waiting.scalars().all() == [5, 6]
        connection.execute(text("UPDATE app_callbacks SET reads_gathered_at = NULL"))
    number_all(engine)
    told = [
        [read["user_id"] for read in event.data["reads"]]
        for event in list_all(engine)
        if "reads" in event.data
    ]
    assert told == [[3, 4], [], [5, 6]]
    assert [event.seq for event in list_all(engine)] == [1, 2, 3, 4]


def read_by(engine: Engine, *user_ids: int) -> None:
    """Let these people have read something of app 7 just now."""
    with engine.begin() as connection:
        for user_id in user_ids:
            connection.execute(
                text(
                    "INSERT INTO app_reads (app_id, message_id, user_id, read_at) VALUES (7, 9, :id, now())"
                ),
                {"id": user_id},
            )
