"""The schema's history, for Alembic; `storage.postgres.schema.upgrade` runs it.

A migration stands alone: it imports nothing of ours and is not edited later, so that it does tomorrow what it did when
it was written. A function of the schema that changes is therefore written out again in the migration that changes it.
"""
