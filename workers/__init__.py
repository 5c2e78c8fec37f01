"""The Celery workers: they persist what was accepted, expand broadcasts, publish events, sweep, and do upkeep.

Nothing of HTTP, of ingest, of the push gateway or of `ops` may be imported here, and drivers only by way of `storage`.
"""
