"""How work is announced to Celery, both ends: the queues, the doorbell that rings them, who takes from them.

No task runs here (`workers/tasks.py`), and a ring carries nothing: neither the model of a message nor PostgreSQL
is imported into this room.
"""
