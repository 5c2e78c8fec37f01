"""A look into the record, for tests of sends."""

from sqlalchemy import Engine, func, select

from storage.postgres.tables import accepted


def count_accepted(engine: Engine) -> int:
    """How many sends are accepted and not yet in the histories."""
    with engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(accepted)).scalar_one()
