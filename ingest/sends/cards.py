"""Changing cards: one message, or all that an app calls by one `ref` (contract §8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ingest.models.presenters import Presenter
from ingest.models.requests import CardBody
from ingest.sends.card_rules import check_is_changeable
from ingest.sends.validator import SendValidator
from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, SENDS
from storage.model.caller import AppCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, TransientError, invalid
from storage.model.message import MessageStatus
from storage.model.origin import Origin
from storage.model.send import IdempotencyKey
from storage.postgres.database import Database
from storage.postgres.messages import cards, lookup
from storage.postgres.messages.cards import CardChange, ChangeAnswer
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


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What is kept with a change: its answer, for the key if there is one, and whose change it is."""

    answer: ChangeAnswer
    key: IdempotencyKey | None
    changed_by: str
    request_id: str


class _HasMovedOn(Exception):
    """What was looked at is no more what it was; nothing of the transaction stands."""


class _KeyIsUsed(Exception):
    """Another request with the key was done first; nothing of the transaction stands."""


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
        if first := await self._find_first_answer(key):
            return first
        await self._limits.take(Quota.APP_SENDS, caller.app.id)
        for _ in range(_LOOKS):
            found = await self._database.query(_find_own, [message_id], caller.app.id)
            if not found:
                raise NotFound("There is no such message.", code=ErrorCode.UNKNOWN_MESSAGE)
            [change] = await self._build(found, body, caller)
            answer = ChangeAnswer(change.message, found[0].read_at, 1)
            stamp = _Stamp(answer, key, caller.key, Origin.parse(origin).request_id)
            if outcome := await self._commit([change], stamp):
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
        if first := await self._find_first_answer(key):
            return first
        is_counted = False
        for _ in range(_LOOKS):
            found = await self._find_by_ref(caller, ref)
            if not is_counted:
                await self._limits.take(Quota.APP_SENDS, caller.app.id, count=len(found))
                is_counted = True
            changes = await self._build(found, body, caller)
            answer = ChangeAnswer(None, None, len(changes))
            stamp = _Stamp(answer, key, caller.key, Origin.parse(origin).request_id)
            if outcome := await self._commit(changes, stamp):
                return outcome
        raise TransientError("The messages are being changed by others.")

    async def _find_by_ref(self, caller: AppCaller, ref: str) -> list[FoundMessage]:
        limit, app_id = MESSAGES_OF_A_REF + 1, caller.app.id
        ids = await self._database.query(cards.list_by_ref, app_id, ref=ref, limit=limit)
        if len(ids) > MESSAGES_OF_A_REF:
            raise invalid("ref", f"More than {MESSAGES_OF_A_REF} messages have it.", where="path")
        found = await self._database.query(_find_own, ids, app_id)
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
        return changes

    async def _commit(self, changes: Sequence[CardChange], stamp: _Stamp) -> ChangeOutcome | None:
        """Make the changes and have people told; None if what was looked at has moved on."""
        try:
            await self._database.transaction(_change, changes, stamp)
        except _HasMovedOn:
            return None
        except _KeyIsUsed:
            return await self._find_first_answer(stamp.key)
        kinds = {one.message.is_broadcast for one in changes}
        for is_broadcast, queue in ((True, BROADCASTS), (False, SENDS)):
            if is_broadcast in kinds:
                self._doorbell.ring(queue)
        return ChangeOutcome(stamp.answer)

    async def _find_first_answer(self, key: IdempotencyKey | None) -> ChangeOutcome | None:
        first = None if key is None else await self._database.query(cards.find_kept_answer, key)
        return None if first is None else ChangeOutcome(first, is_replay=True)


def _find_own(connection: Connection, ids: Sequence[int], app_id: int) -> list[FoundMessage]:
    """Those of the messages that there are and that the app has sent."""
    found = [lookup.find_message(connection, id) for id in ids]
    return [one for one in found if one is not None and one.message.sent_by_app_id == app_id]


def _change(connection: Connection, changes: Sequence[CardChange], stamp: _Stamp) -> None:
    if stamp.key is not None and not cards.keep_answer(connection, stamp.key, stamp.answer):
        raise _KeyIsUsed
    if not cards.change(
        connection, changes, changed_by=stamp.changed_by, request_id=stamp.request_id
    ):
        raise _HasMovedOn
