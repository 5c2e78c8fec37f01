"""`POST /messages/batch`: many sends of an app in one request, each validated alone (contract §2)."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from ingest.http import errors
from ingest.http.strictness import add_ignored, find_unknown_fields, refuse_ignored
from ingest.models.requests import SendBody
from ingest.models.responses import EntryRefused
from ingest.sends.idempotency import IdempotencyKeys
from ingest.sends.ineffective_fields import find_ineffective_fields
from ingest.sends.intake import Intake
from ingest.sends.validator import SendValidator
from storage.model.caller import AppCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import CallerError, CarillonError, FieldProblem, Invalid
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.sends import batch_keys
from storage.postgres.sends.batch_keys import FirstAnswers
from storage.postgres.sends.intake import IntakeItem
from storage.valkey.rate_limits import Quota, RateLimiter

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a batch: `results` in the order of its entries.

    `is_replay`: nothing was sent, every result is a first answer.
    """

    results: list[Accepted | EntryRefused]
    is_replay: bool


class BatchSender:
    """Sends batches of an app."""

    def __init__(
        self,
        validator: SendValidator,
        intake: Intake,
        *,
        keys: IdempotencyKeys,
        limits: RateLimiter,
    ) -> None:
        self._validator = validator
        self._intake = intake
        self._keys = keys
        self._limits = limits

    async def send(
        self,
        entries: Sequence[Any],
        caller: AppCaller,
        *,
        key: IdempotencyKey | None,
        origin: str,
        is_strict: bool = False,
    ) -> BatchOutcome:
        """Send the entries that pass the rules; the others are refused, each alone.

        `entries` are JSON values, or an Invalid in place of one that could not be read; `is_strict`: an entry is also
        refused if something of it would be ignored. A batch that is repeated
        with its key gets its first results again and sends only the entries that have none, because the first
        try was cut short. Raises Invalid for a key of another body, and OverLimit and TransientError for the
        whole batch: what may have been accepted then is known only to a retry with the key.
        """
        first = (
            FirstAnswers() if key is None else await self._keys.bind_batch(key, size=len(entries))
        )
        known: dict[int, Accepted | EntryRefused] = {
            **first.sent,
            **{place: _repeat_refusal(place, answer) for place, answer in first.refused.items()},
        }
        new = {place: entry for place, entry in enumerate(entries) if place not in known}
        validated = await self._validate_all(new, caller, is_strict=is_strict)
        results = known | await self._send_new(validated, caller, key=key, origin=origin)
        return BatchOutcome([results[place] for place in range(len(entries))], is_replay=not new)

    async def _send_new(
        self,
        validated: Mapping[int, Send | CallerError],
        caller: AppCaller,
        *,
        key: IdempotencyKey | None,
        origin: str,
    ) -> dict[int, Accepted | EntryRefused]:
        items = {
            place: IntakeItem(send, batch_keys.make_entry_key(key, place) if key else None, origin)
            for place, send in validated.items()
            if isinstance(send, Send)
        }
        outcomes: dict[int, Accepted | CarillonError] = {
            place: error for place, error in validated.items() if isinstance(error, CallerError)
        }
        outcomes.update(zip(items, await self._commit(list(items.values()), caller), strict=True))
        results = {
            place: one if isinstance(one, Accepted) else _refuse(place, one)
            for place, one in outcomes.items()
        }
        if key is not None:
            await self._record_refusals(key, results)
        return results

    async def _validate_all(
        self, entries: Mapping[int, Any], caller: AppCaller, *, is_strict: bool
    ) -> dict[int, Send | CallerError]:
        audience_lock = asyncio.Lock()
        parse = partial(_parse_strictly, caller=caller) if is_strict else _parse
        validated = await asyncio.gather(
            *(
                self._validate(entry, caller, audience_lock=audience_lock, parse=parse)
                for entry in entries.values()
            )
        )
        return dict(zip(entries, validated, strict=True))

    async def _validate(
        self,
        entry: Any,
        caller: AppCaller,
        *,
        audience_lock: asyncio.Lock,
        parse: Callable[[Any], SendBody],
    ) -> Send | CallerError:
        try:
            body = parse(entry)
            # Audiences are long questions, of which a caller may not have many in hand.
            async with audience_lock if body.audience else nullcontext():
                return await self._validator.validate(body, caller)
        except CallerError as error:
            return error

    async def _commit(
        self, items: Sequence[IntakeItem], caller: AppCaller
    ) -> list[Accepted | CarillonError]:
        if items:
            await self._limits.take(Quota.APP_SENDS, caller.app.id, count=len(items))
        outcomes = await self._intake.accept_all(items)
        replays = sum(isinstance(one, Accepted) and one.is_replay for one in outcomes)
        if replays:
            # Another request with the key was under way.
            await self._limits.give_back(Quota.APP_SENDS, caller.app.id, count=replays)
        return outcomes

    async def _record_refusals(
        self, key: IdempotencyKey, results: Mapping[int, Accepted | EntryRefused]
    ) -> None:
        refused = {
            place: {"status": one.status, "detail": one.detail, "code": one.code}
            for place, one in results.items()
            # A fault of ours is no answer to keep: it may go well the next time.
            if isinstance(one, EntryRefused) and one.code != ErrorCode.INTERNAL.name
        }
        if refused:
            await self._keys.record_refusals(key, refused)


def _parse(entry: Any) -> SendBody:
    if isinstance(entry, Invalid):
        raise entry
    if not isinstance(entry, dict):
        raise Invalid(FieldProblem(("body",), "Must be an object.", "object_type"))
    try:
        return SendBody.from_values(entry)
    except ValidationError as error:
        raise errors.translate_validation_error(error, where=lambda _name: "body") from error


def _parse_strictly(entry: Any, *, caller: AppCaller) -> SendBody:
    """As `_parse`, and what would be ignored of the entry is refused."""
    is_object = isinstance(entry, dict)
    ignored = find_unknown_fields(SendBody, entry, within=("body",)) if is_object else []
    try:
        body = _parse(entry)
    except Invalid as error:
        raise add_ignored(error, ignored) from error
    refuse_ignored([*ignored, *find_ineffective_fields(body, caller)])
    return body


def _refuse(place: int, error: CarillonError) -> EntryRefused:
    code = error.code
    if code is ErrorCode.INTERNAL:
        _log.error("An entry of a batch failed.", exc_info=error)
        return EntryRefused(place, code.status, code.meaning, code.name)
    return EntryRefused(place, code.status, errors.detail_of(error), code.name)


def _repeat_refusal(place: int, answer: Mapping[str, Any]) -> EntryRefused:
    """The first answer to an entry that was refused, again; the last release kept none of its code."""
    code = answer.get("code", ErrorCode.VALIDATION.name)
    return EntryRefused(place, answer["status"], answer["detail"], code)
