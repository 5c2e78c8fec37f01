"""`POST /messages/batch`: many sends of an app in one request, each judged alone (contract §2)."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ingest import problems
from ingest.services import Services
from ingest.wire import SendBody
from ingest.wire_answers import EntryRefused, EntrySent
from storage.accepted import Request
from storage.model.caller import AppCaller
from storage.model.errors import CallerIsWrong, CarillonError
from storage.model.send import Accepted, IdempotencyKey

# Between a batch's key and an entry's place: no header can hold it, so no caller's key looks alike.
_JOINT = "\x1f"

_log = logging.getLogger(__name__)


async def send(
    services: Services,
    caller: AppCaller,
    *,
    entries: Sequence[dict[str, Any]],
    key: IdempotencyKey | None,
    origin: str,
) -> list[EntrySent | EntryRefused]:
    """Send what may be sent; the results are in the entries' order.

    With a key every entry has one of its own, so that a repeated batch repeats the first results of
    what was sent and sends what was not. Raises OverLimit and TryLater for the batch as a whole: what
    may have been accepted then is known only to a retry with the key.
    """
    judged = await asyncio.gather(
        *(
            _judged(services, caller, entry, key=_key(key, place), origin=origin)
            for place, entry in enumerate(entries)
        )
    )
    requests = [one for one in judged if isinstance(one, Request)]
    if requests:
        await services.pipes.limits.take(caller.app.id, count=len(requests))
    outcomes = iter(await services.intake.accept_all(requests))
    return [
        _result(services, next(outcomes) if isinstance(one, Request) else one) for one in judged
    ]


async def _judged(
    services: Services,
    caller: AppCaller,
    entry: dict[str, Any],
    *,
    key: IdempotencyKey | None,
    origin: str,
) -> Request | CallerIsWrong:
    try:
        body = SendBody.of(entry)
        return Request(await services.judge.judge(body, caller), key, origin)
    except ValidationError as error:
        return problems.invalid_fields(error, where=lambda _name: "body")
    except CallerIsWrong as error:
        return error


def _key(key: IdempotencyKey | None, place: int) -> IdempotencyKey | None:
    return None if key is None else replace(key, key=f"{key.key}{_JOINT}{place}")


def _result(services: Services, outcome: Accepted | CarillonError) -> EntrySent | EntryRefused:
    if isinstance(outcome, Accepted):
        return EntrySent(200, services.display.accepted(outcome))
    status = problems.status_of(type(outcome))
    if status is None:
        _log.error("An entry of a batch failed.", exc_info=outcome)
        return EntryRefused(500, problems.MEANING[500])
    return EntryRefused(status, problems.detail(outcome))
