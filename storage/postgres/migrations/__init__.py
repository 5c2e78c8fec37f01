"""The schema's history, for Alembic; `storage.postgres.schema.upgrade` runs it."""
