"""Changing cards: one message, or all that an app calls by one `ref` (contract §8)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ingest.models.presenters import Presenter
from ingest.models.requests import CardBody
from ingest.sends.card_rules import check_is_changeable
from ingest.sends.validator import SendValidator
from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, SENDS
from storage.model.caller import AppCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, NotFound, OverLimit, TransientError, invalid
from storage.model.message import MessageStatus
from storage.model.origin import Origin
from storage.model.send import IdempotencyKey
from storage.postgres.database import Database
from storage.postgres.messages import cards
from storage.postgres.messages.cards import (
    CardChange,
    ChangeAnswer,
    ChangeStamp,
    HasMovedOn,
    KeyIsUsed,
)
from storage.postgres.messages.lookup import FoundMessage
from storage.valkey.rate_limits import Quota, RateLimiter

# Messages of one `ref` that one call changes (contract §8).
MESSAGES_OF_A_REF = 1_000
# How often what is to be changed may be changed by others, or move on, while it is looked at.
_LOOKS = 10


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """The answer to a change; `is_replay`: it is the first one again, and nothing was changed."""

    answer: ChangeAnswer
    is_replay: bool = False


StampOf = Callable[[ChangeAnswer], ChangeStamp]


class CardEditor:
    """Changes messages that apps have sent."""

    def __init__(
        self,
        database: Database,
        validator: SendValidator,
        *,
        presenter: Presenter,
        doorbell: Doorbell,
        limits: RateLimiter,
    ) -> None:
        self._database = database
        self._validator = validator
        self._presenter = presenter
        self._doorbell = doorbell
        self._limits = limits

    async def change(
        self,
        caller: AppCaller,
        message_id: int,
        body: CardBody,
        *,
        key: IdempotencyKey | None,
        origin: str,
    ) -> ChangeOutcome:
        """Give a message its new form, wherever it is on its way.

        Raises NotFound for a message of others and for none, InConflict if it was recalled or has another version than
        expected, what a send may raise, and TransientError if it changed under every look.
        """
        stamp_of = partial(
            ChangeStamp, key=key, changed_by=caller.key, request_id=_read_request(origin)
        )
        return await self._answer(
            key, lambda: self._change(caller, message_id, body, stamp_of=stamp_of)
        )

    async def _change(
        self, caller: AppCaller, message_id: int, body: CardBody, *, stamp_of: StampOf
    ) -> ChangeOutcome:
        await self._limits.take(Quota.APP_SENDS, caller.app.id)
        for _ in range(_LOOKS):
            found = await self._database.query(cards.find_own, [message_id], caller.app.id)
            if not found:
                raise NotFound("There is no such message.", code=ErrorCode.UNKNOWN_MESSAGE)
            [change] = await self._build(found, body, caller)
            answer = ChangeAnswer(change.message, found[0].read_at, 1)
            if outcome := await self._commit([change], stamp_of(answer)):
                return outcome
        raise TransientError("The message is being changed by others.")

    async def change_by_ref(
        self,
        caller: AppCaller,
        ref: str,
        body: CardBody,
        *,
        key: IdempotencyKey | None,
        origin: str,
    ) -> ChangeOutcome:
        """Give all messages of one `ref` that were not recalled their new form, in one transaction.

        Raises NotFound if there is none, Invalid if there are more than MESSAGES_OF_A_REF, and otherwise as `change`.
        """
        stamp_of = partial(
            ChangeStamp, key=key, changed_by=caller.key, request_id=_read_request(origin)
        )
        return await self._answer(
            key, lambda: self._change_by_ref(caller, ref, body, stamp_of=stamp_of)
        )

    async def _change_by_ref(
        self, caller: AppCaller, ref: str, body: CardBody, *, stamp_of: StampOf
    ) -> ChangeOutcome:
        is_counted = False
        for _ in range(_LOOKS):
            found = await self._find_by_ref(caller, ref)
            if not is_counted:
                await self._limits.take(Quota.APP_SENDS, caller.app.id, count=len(found))
                is_counted = True
            changes = await self._build(found, body, caller)
            answer = ChangeAnswer(None, None, len(changes))
            if outcome := await self._commit(changes, stamp_of(answer)):
                return outcome
        raise TransientError("The messages are being changed by others.")

    async def _find_by_ref(self, caller: AppCaller, ref: str) -> list[FoundMessage]:
        limit, app_id = MESSAGES_OF_A_REF + 1, caller.app.id
        ids = await self._database.query(cards.list_by_ref, app_id, ref=ref, limit=limit)
        if len(ids) > MESSAGES_OF_A_REF:
            raise invalid("ref", f"More than {MESSAGES_OF_A_REF} messages have it.", where="path")
        found = await self._database.query(cards.find_own, ids, app_id)
        changeable = [one for one in found if one.status is not MessageStatus.RECALLED]
        if not changeable:
            raise NotFound("No message has this ref.", code=ErrorCode.UNKNOWN_REF)
        return changeable

    async def _build(
        self, found: Sequence[FoundMessage], body: CardBody, caller: AppCaller
    ) -> list[CardChange]:
        changes = []
        for one in found:
            check_is_changeable(one.message, one.status, body)
            changed = await self._validator.validate_change(body, one.message, caller)
            changes.append(CardChange(changed, self._presenter.show_content(changed)))
            await asyncio.sleep(0)  # Other callers go on while a thousand are made.
        return changes

    async def _commit(
        self, changes: Sequence[CardChange], stamp: ChangeStamp
    ) -> ChangeOutcome | None:
        """Make the changes and have people told; None if what was looked at has moved on."""
        try:
            await self._database.transaction(cards.change_all, changes, stamp)
        except HasMovedOn:
            return None
        except KeyIsUsed:
            return await self._find_first_answer(stamp.key)
        kinds = {one.message.is_broadcast for one in changes}
        for is_broadcast, queue in ((True, BROADCASTS), (False, SENDS)):
            if is_broadcast in kinds:
                self._doorbell.ring(queue)
        return ChangeOutcome(stamp.answer)

    async def _answer(
        self, key: IdempotencyKey | None, change: Callable[[], Awaitable[ChangeOutcome]]
    ) -> ChangeOutcome:
        """What `change` comes to, or the first answer to the key: also if the change would be refused now."""
        if first := await self._find_first_answer(key):
            return first
        try:
            return await change()
        except (CallerError, OverLimit):
            # Another request with the key may have been under way, and done.
            if first := await self._find_first_answer(key):
                return first
            raise

    async def _find_first_answer(self, key: IdempotencyKey | None) -> ChangeOutcome | None:
        first = None if key is None else await self._database.query(cards.find_kept_answer, key)
        return None if first is None else ChangeOutcome(first, is_replay=True)


def _read_request(origin: str) -> str:
    return Origin.parse(origin).request_id
