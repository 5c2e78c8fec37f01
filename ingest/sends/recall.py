"""Recall: taking a message back (contract §2)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ingest.sends.visibility import find_visible_message
from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, SENDS
from storage.model.caller import Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotAllowed
from storage.model.message import Message
from storage.postgres.broadcasts import cancellation
from storage.postgres.broadcasts import recalls as broadcast_recalls
from storage.postgres.database import Database
from storage.postgres.messages import recalls


class Recaller:
    """Takes messages back. `limit`: for how long a person may; `clock` gives aware UTC."""

    def __init__(
        self,
        database: Database,
        *,
        doorbell: Doorbell,
        limit: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._doorbell = doorbell
        self._limit = limit
        self._clock = clock

    async def recall(self, caller: Caller, *, message_id: int) -> Message:
        """Take the message back, and return it as it was.

        A message to one receiver is gone from every history when this returns, and its people are told. Of a
        broadcast nothing more is expanded, and the lanes take back what was. Raises NotFound for a caller
        who may not know of the message, NotAllowed for its receiver and for a sender who is too late.
        """
        found = await find_visible_message(self._database, caller, message_id=message_id)
        message = found.message
        if isinstance(caller, UserCaller):
            check_person(
                message,
                user_id=caller.person.id,
                age=self._clock() - message.created_at,
                limit=self._limit,
            )
        if message.is_broadcast:
            await self._recall_broadcast(message_id)
        elif await self._database.query(recalls.recall, message):
            self._doorbell.ring(SENDS)
        return message

    async def _recall_broadcast(self, broadcast_id: int) -> None:
        await self._database.transaction(broadcast_recalls.start_recall, broadcast_id)
        await self._database.transaction(cancellation.discard_waiting, broadcast_id)
        self._doorbell.ring(BROADCASTS)


def check_person(message: Message, *, user_id: int, age: timedelta, limit: timedelta) -> None:
    """Raise NotAllowed unless the person is the message's sender and it is not older than `limit`."""
    if user_id != message.sender_id:
        raise NotAllowed("Only its sender may take a message back.", code=ErrorCode.NOT_THE_SENDER)
    if age > limit:
        hours = int(limit.total_seconds() // 3600)
        raise NotAllowed(
            f"A message can be taken back for {hours} hours.", code=ErrorCode.RECALL_TOO_LATE
        )
