"""Recalling a message to one receiver (contract §2): it leaves the histories, and counters are put right.

Ingest and `carillon message` call `recall`; broadcasts are taken back in `broadcasts/recalls.py`.
"""

from sqlalchemy import Connection, text

from storage.model.conversation import make_deliveries
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, TransientError
from storage.model.message import Message, MessageStatus
from storage.postgres.messages.lookup import find_message
from storage.postgres.sends.withdrawals import withdraw

# A function of the database (in `migrations`), because the statement after the locks must see what was committed while
# they were waited for. One round trip: no lock is held while the process that asks is away.
_RECALL = text("""
SELECT recall_message(:id, CAST(:user_ids AS bigint[]), CAST(:peer_ids AS bigint[]))
""")
# How often a send may move on (be persisted, fail, be replayed) while it is looked for.
_LOOKS = 3


def recall(connection: Connection, message: Message) -> bool:
    """Recall a message to one receiver, wherever it is on its way; False if it was recalled before.

    The event for its people is in the outbox with it. Each statement is whole by itself, so it needs no transaction.
    Safe to repeat, and while the message is being persisted or read. Raises NotFound if there is no such message, and
    TransientError if it moved on each time it was looked for.
    """
    there = make_deliveries(message)
    people = {"user_ids": [c.user_id for c in there], "peer_ids": [c.peer_id for c in there]}
    for _ in range(_LOOKS):
        if withdraw(connection, message.id):
            return True
        if connection.execute(_RECALL, {"id": message.id} | people).scalar_one():
            return True
        found = find_message(connection, message.id)
        if found is None:
            raise NotFound("There is no such message.", code=ErrorCode.UNKNOWN_MESSAGE)
        if found.status is MessageStatus.RECALLED:
            return False
    raise TransientError("The message is on its way.")
