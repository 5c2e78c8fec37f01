"""The schema's history, for Alembic; `storage.postgres.database.upgrade` runs it."""
