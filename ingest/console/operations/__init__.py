"""What the console's page asks and does, as JSON shapes; one module a subject.

Called by `ingest/console/app.py`, only for an operator who is signed in. Every action is written to the log, because
the database does not say who cancelled a broadcast. No HTTP here: requests and responses stay in `app.py`.
"""

# How much of a list one page shows.
SHOWN = 50
