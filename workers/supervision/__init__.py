"""Whether a worker gets anything done, and what happens when it does not. For the Celery apps of all workers.

Of what a worker does, nothing may be imported here: it knows how a task ended, and what is due in the record.
"""
