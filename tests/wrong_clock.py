"""A clock of PostgreSQL's that can be set: for one database, in every session that begins afterwards."""

from sqlalchemy import Engine, text

# Before pg_catalog in the search path, so that every query and function finds these.
_SHIM = """
CREATE TABLE wrong_clock (off interval NOT NULL);
INSERT INTO wrong_clock VALUES ('0');
GRANT SELECT ON wrong_clock TO PUBLIC;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + off FROM public.wrong_clock $$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT pg_catalog.now() + off FROM public.wrong_clock $$;
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %%I SET search_path = public, pg_catalog', current_database());
END $$;
"""


def install(engine: Engine) -> None:
    """Put a clock that can be set into the database; `engine`'s sessions begin anew."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_SHIM)
    engine.dispose()


def shift(engine: Engine, seconds: float) -> None:
    """Set it so many seconds past the real one; it goes on from there."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE wrong_clock SET off = make_interval(secs => :seconds)"),
            {"seconds": seconds},
        )


_REMOVE = """
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %%I RESET search_path', current_database());
END $$;
DROP FUNCTION public.clock_timestamp();
DROP FUNCTION public.now();
DROP TABLE wrong_clock;
"""


def remove(engine: Engine) -> None:
    """Give the database its own clock back, in sessions that begin afterwards."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_REMOVE)
    engine.dispose()
