"""`POST /messages/batch`: many sends of an app in one request, each judged alone (contract §2)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ingest.http import errors
from ingest.models.requests import SendBody
from ingest.models.responses import EntryRefused, EntrySent
from ingest.services import Services
from storage.model.caller import AppCaller
from storage.model.errors import CallerError, CarillonError, FieldProblem, Invalid
from storage.model.http_status import MEANING, status_of
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.sends import batch_keys
from storage.postgres.sends.batch_keys import FirstAnswers
from storage.postgres.sends.intake import IntakeItem
from storage.valkey.rate_limits import Quota

Result = EntrySent | EntryRefused

# A fault of ours is no answer to keep: it may go well the next time.
_OURS = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """The results in the entries' order; `is_replay`: nothing was sent, all of it is a first answer."""

    results: list[Result]
    is_replay: bool


async def send(
    services: Services,
    caller: AppCaller,
    *,
    entries: Sequence[Any],
    key: IdempotencyKey | None,
    origin: str,
) -> Sent:
    """Send what may be sent.

    A repeated batch with its key repeats the first results and sends only what has none, because the
    first try was cut short. Raises Invalid for a key of another body, and OverLimit and TransientError for the
    batch as a whole: what may have been accepted then is known only to a retry with the key.
    """
    first = FirstAnswers() if key is None else await services.intake.bind(key, len(entries))
    known: dict[int, Result] = {place: _sent(services, one) for place, one in first.sent.items()}
    known |= {place: EntryRefused(**answer) for place, answer in first.refused.items()}
    new = {place: entry for place, entry in enumerate(entries) if place not in known}
    answered = await _send_new(services, caller, new, key=key, origin=origin)
    if key is not None:
        await _keep_refusals(services, key, answered)
    results = known | answered
    return Sent([results[place] for place in range(len(entries))], is_replay=not new)


async def _send_new(
    services: Services,
    caller: AppCaller,
    entries: Mapping[int, Any],
    *,
    key: IdempotencyKey | None,
    origin: str,
) -> dict[int, Result]:
    keys = {place: batch_keys.make_entry_key(key, place) if key else None for place in entries}
    turn = asyncio.Lock()
    judged = await asyncio.gather(
        *(
            _judged(services, caller, entry, key=keys[place], origin=origin, turn=turn)
            for place, entry in entries.items()
        )
    )
    requests = [one for one in judged if isinstance(one, IntakeItem)]
    if requests:
        await services.pipes.limits.take(Quota.APP_SENDS, caller.app.id, count=len(requests))
    accepted = await services.intake.accept_all(requests)
    replays = sum(isinstance(one, Accepted) and one.is_replay for one in accepted)
    if replays:
        # Another request with the key was under way.
        await services.pipes.limits.give_back(Quota.APP_SENDS, caller.app.id, count=replays)
    outcomes = iter(accepted)
    return {
        place: _result(services, next(outcomes) if isinstance(one, IntakeItem) else one)
        for place, one in zip(entries, judged, strict=True)
    }


async def _keep_refusals(
    services: Services, key: IdempotencyKey, answered: Mapping[int, Result]
) -> None:
    refused = {
        place: {"status": one.status, "detail": one.detail}
        for place, one in answered.items()
        if isinstance(one, EntryRefused) and one.status != _OURS
    }
    if refused:
        await services.intake.keep_refusals(key, refused)


async def _judged(
    services: Services,
    caller: AppCaller,
    entry: Any,
    *,
    key: IdempotencyKey | None,
    origin: str,
    turn: asyncio.Lock,
) -> IntakeItem | CallerError:
    if isinstance(entry, Invalid):
        return entry
    if not isinstance(entry, dict):
        return Invalid(FieldProblem(("body",), "Must be an object.", "object_type"))
    try:
        body = SendBody.of(entry)
        # Audiences are long questions, of which a caller may not have many in hand.
        async with turn if body.audience else nullcontext():
            return IntakeItem(await services.judge.judge(body, caller), key, origin)
    except ValidationError as error:
        return errors.invalid_fields(error, where=lambda _name: "body")
    except CallerError as error:
        return error


def _result(services: Services, outcome: Accepted | CarillonError) -> Result:
    if isinstance(outcome, Accepted):
        return _sent(services, outcome)
    status = status_of(type(outcome))
    if status is None:
        _log.error("An entry of a batch failed.", exc_info=outcome)
        return EntryRefused(_OURS, MEANING[_OURS])
    return EntryRefused(status, errors.detail(outcome))


def _sent(services: Services, accepted: Accepted) -> EntrySent:
    return EntrySent(200, services.display.accepted(accepted))
