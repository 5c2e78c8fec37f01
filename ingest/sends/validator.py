"""Validates a send: collects what the rules need to know, looks it up, has them build the send."""

from collections.abc import Callable
from datetime import datetime

from ingest.connection_shares import ListSlots
from ingest.identity.lookups import Lookups
from ingest.models.requests import Audience, CardBody, SendBody
from ingest.sends.audience import ResolvedAudience, resolve_audience
from ingest.sends.card_rules import build_change, check_change
from ingest.sends.rules import LookupResult, RequiredLookups, SendPolicy, build_send, check_request
from storage.media.store import MediaStore
from storage.model.caller import App, AppCaller, Caller
from storage.model.media import MediaObject, is_key
from storage.model.message import Message
from storage.model.send import Send


class SendValidator:
    """Makes a request to send into a send that passed every rule. `clock` gives aware UTC."""

    def __init__(
        self,
        lookups: Lookups,
        lists: ListSlots,
        *,
        media: MediaStore,
        policy: SendPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._lookups = lookups
        self._media = media
        self._lists = lists
        self._policy = policy
        self._clock = clock

    async def validate(self, body: SendBody, caller: Caller) -> Send:
        """The send. Raises a CallerError that says which rule is broken (contract §2), or TransientError."""
        required = check_request(body, caller, policy=self._policy)
        found = await self._look_up(required, caller)
        return build_send(body, caller, found, policy=self._policy, now=self._clock())

    async def validate_change(self, body: CardBody, message: Message, caller: AppCaller) -> Message:
        """The new form of a message that the caller has sent; raises as `validate`, for the same rules."""
        media_key = check_change(body, message, caller, policy=self._policy)
        media, is_uploaded = None, False
        if media_key is not None:
            media, is_uploaded = await self._find_media(media_key, caller)
        found = LookupResult(media=media, is_uploaded=is_uploaded)
        return build_change(body, message, caller, found)

    async def _look_up(self, required: RequiredLookups, caller: Caller) -> LookupResult:
        named_app = receiver = sender_id = media = audience = None
        is_uploaded = False
        if required.named_app_id is not None:
            named_app = await self._find_app(required.named_app_id)
        # An account is a name in the app that the request names, or in the one that calls.
        accounts_app = caller.app if isinstance(caller, AppCaller) else named_app
        receiver_id = required.receiver_id
        if required.receiver_account is not None:
            receiver_id = await self._find_account(accounts_app, required.receiver_account)
        if receiver_id is not None:
            receiver = await self._lookups.people.find(receiver_id)
        if required.sender_account is not None:
            sender_id = await self._find_account(accounts_app, required.sender_account)
        if required.media_key is not None:
            media, is_uploaded = await self._find_media(required.media_key, caller)
        if required.audience is not None and accounts_app is not None:
            audience = await self._resolve(required.audience, accounts_app, caller)
        return LookupResult(receiver, named_app, sender_id, media, is_uploaded, audience)

    async def _find_app(self, app_id: str) -> App | None:
        known = await self._lookups.apps.find(app_id)
        return None if known is None else known.app

    async def _find_account(self, app: App | None, account: str) -> int | None:
        return None if app is None else await self._lookups.accounts.find((app.id, account))

    async def _find_media(self, key: str, caller: Caller) -> tuple[MediaObject | None, bool]:
        """The object of this key, if there is one, and whether it is uploaded."""
        media = await self._lookups.objects.submit(key) if is_key(key) else None
        if media is None or media.owner != caller.key:
            # The rules refuse what is not the caller's: the store need not be asked.
            return media, False
        return media, await self._media.has_object(key)

    async def _resolve(self, audience: Audience, app: App, caller: Caller) -> ResolvedAudience:
        # Up to 100,000 names are a long question: not of the share that every send needs.
        async with self._lists.take(caller) as database:
            return await resolve_audience(database, audience, app=app)
