"""The record: its tables, connections and every query, as functions of a synchronous SQLAlchemy Connection.

Nothing of HTTP, of Celery or of Valkey's driver is imported into this room; of `storage/valkey/` only the form of events.
"""
