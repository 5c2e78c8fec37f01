"""What the console's page asks and does, as JSON shapes; one module a subject.

`ingest/console/app.py` says at which path each is, and what role it needs; it is called only for an operator who is
signed in, with their visit (`visit.py`). What changes something calls `storage/postgres/acts/` with the visit's actor, so
that the audit has its row. No responses are made here.
"""

# How much of a list one page shows.
SHOWN = 50
