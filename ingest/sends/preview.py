"""What a broadcast would be if it were sent now: judged by the rules of sending, counted, and not sent (contract §3)."""

from dataclasses import dataclass

from ingest.connection_shares import ListSlots
from ingest.models.requests import SendBody
from ingest.sends.validator import SendValidator
from storage.model.caller import AppCaller
from storage.model.errors import invalid
from storage.postgres.broadcasts.audiences import count_audience
from storage.valkey.rate_limits import Quota, RateLimiter


@dataclass(frozen=True, slots=True)
class BroadcastPreview:
    """How many people it would be for; `unresolved` are the names in its audience that nobody has, in the app's order."""

    total: int
    unresolved: tuple[str, ...]


class Previewer:
    """Previews broadcasts for apps."""

    def __init__(self, validator: SendValidator, lists: ListSlots, *, limits: RateLimiter) -> None:
        self._validator = validator
        self._lists = lists
        self._limits = limits

    async def preview(self, body: SendBody, caller: AppCaller) -> BroadcastPreview:
        """The audience that this broadcast would have if it were accepted now. Stores nothing, safe to repeat.

        Raises what the send would raise for its fields, OverLimit, TransientError. Every call counts against the
        quota of previews, refused ones too, for they may have asked as much of the database; none against that of sends.
        """
        await self._limits.take(Quota.APP_PREVIEWS, caller.app.id)
        if not body.is_broadcast:
            raise invalid("is_broadcast", "Must be true: only broadcasts have a preview.")
        send = await self._validator.validate(body, caller)
        # Of a large organisation it is a long question: not of the share that every send needs.
        async with self._lists.take(caller) as database:
            total = await database.query(count_audience, send.audience)
        return BroadcastPreview(total, send.unresolved)
