"""Taking a message back: out of the histories, counters and last messages put right (contract §2).

Ingest calls `recall` for a message to one receiver; broadcasts are `broadcasts/recalls.py`'s.
"""

from sqlalchemy import Connection, text

from storage.model.conversation import copies
from storage.model.errors import NotFound, TransientError
from storage.model.message import Message, MessageStatus
from storage.postgres.messages.lookup import find_message
from storage.postgres.sends.withdrawals import withdraw

# One round trip, and so no lock is held while whoever asks is away; a function of the database (in
# `migrations`), because what follows the locks has to see more than a statement that waited for them.
_RECALL = text("""
SELECT recall_message(:id, CAST(:user_ids AS bigint[]), CAST(:peer_ids AS bigint[]))
""")
# How often a send may move on (persisted, failed, replayed) between the looks for it.
_LOOKS = 3


def recall(connection: Connection, message: Message) -> bool:
    """Take a message to one receiver back, wherever it is on its way; False if it was before.

    Its people are told by the outbox. Every statement is whole by itself, so it needs no transaction; safe
    to repeat, and against a persist or a read at the same time.
    """
    there = copies(message)
    people = {"user_ids": [c.user_id for c in there], "peer_ids": [c.peer_id for c in there]}
    for _ in range(_LOOKS):
        if withdraw(connection, message.id):
            return True
        if connection.execute(_RECALL, {"id": message.id} | people).scalar_one():
            return True
        found = find_message(connection, message.id)
        if found is None:
            raise NotFound("There is no such message.")
        if found.status is MessageStatus.RECALLED:
            return False
    raise TransientError("The message is on its way.")
