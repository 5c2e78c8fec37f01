"""One send, from a parsed request to its answer: quota, validation, commit (contract §2).

Called by the route `POST /messages/`. Knows nothing of HTTP: the route makes the response.
"""

from ingest.models.requests import SendBody
from ingest.sends.idempotency import IdempotencyKeys
from ingest.sends.intake import Intake
from ingest.sends.validator import SendValidator
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.errors import CallerError, OverLimit
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.sends.intake import IntakeItem
from storage.valkey.rate_limits import Quota, RateLimiter


class Sender:
    """Sends one message at a time for a caller."""

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
        self, body: SendBody, caller: Caller, *, key: IdempotencyKey | None, origin: str
    ) -> Accepted:
        """Commit the send that `body` asks for, once.

        A key that was used before with this body gives the first answer again and sends nothing, also when the
        request would be refused today; it counts against no quota. Raises CallerError of some kind, OverLimit,
        or TransientError. After TransientError the send may have been accepted: only a retry with a key is safe.
        """
        try:
            send = await self._validate(body, caller)
        except (CallerError, OverLimit) as error:
            first = await self._keys.find_first_answer(key) if key else None
            if first is None:
                raise
            if isinstance(caller, UserCaller) and not isinstance(error, OverLimit):
                await self._limits.give_back(Quota.PERSON_SENDS, caller.person.id)
            return first
        accepted = await self._intake.accept(IntakeItem(send, key, origin))
        if accepted.is_replay:
            await self._give_back(caller)
        return accepted

    async def _validate(self, body: SendBody, caller: Caller) -> Send:
        # A person's refused requests count against the quota as well; an app's quota is of messages.
        if isinstance(caller, UserCaller):
            await self._limits.take(Quota.PERSON_SENDS, caller.person.id)
        send = await self._validator.validate(body, caller)
        if isinstance(caller, AppCaller):
            await self._limits.take(Quota.APP_SENDS, caller.app.id)
        return send

    async def _give_back(self, caller: Caller) -> None:
        if isinstance(caller, AppCaller):
            await self._limits.give_back(Quota.APP_SENDS, caller.app.id)
        else:
            await self._limits.give_back(Quota.PERSON_SENDS, caller.person.id)
