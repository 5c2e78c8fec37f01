"""What the console's page asks and does, as JSON shapes; one module a subject.

`ingest/console/app.py` says at which path each is, and what role it needs; it is called only for an operator who is
signed in, with their visit (`visit.py`). What changes something calls `storage/postgres/acts/` with the visit's actor, so
that the audit has its row. No responses are made here.
"""

from datetime import datetime

# How much of a list one page shows.
SHOWN = 50


def show_instant(at: datetime | None) -> str | None:
    """An instant as the page reads it: ISO 8601 with its offset."""
    return None if at is None else at.isoformat()
