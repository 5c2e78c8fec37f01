"""The schema's history, for Alembic; `storage.database.upgrade` runs it."""
