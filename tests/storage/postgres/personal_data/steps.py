"""The steps of an erasure that several tests take."""

from sqlalchemy import Engine, text

from storage.model.erasure import Erasure
from storage.postgres.personal_data import erasure_steps, erasures
from tests.builders import A_COMMAND
from tests.counters import find_drift

LI = 1


def begin(engine: Engine, user_id: int = LI) -> Erasure:
    """Begin to erase somebody."""
    with engine.begin() as connection:
        return erasures.begin(connection, user_id, actor=A_COMMAND)


def let_time_pass(engine: Engine) -> None:
    """Let the minute be over in which something can still come."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE erasures SET requested_at = requested_at - interval '1h', try_at = requested_at"
            )
        )


def work_off(engine: Engine, *, slice: int = 3) -> list[str]:
    """Take all steps that can be taken now, with a recount after each; returns the keys of uploads to delete."""
    deleted: list[str] = []
    while True:
        with engine.begin() as connection:
            taken = erasure_steps.take_step(connection, slice=slice)
        if taken is None:
            return deleted
        if taken.unsent_media:
            deleted += taken.unsent_media
            with engine.begin() as connection:
                erasure_steps.forget_media(connection, taken)
        with engine.begin() as connection:
            assert find_drift(connection) == []
