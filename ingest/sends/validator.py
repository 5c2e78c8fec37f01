"""Judges a send: the pure rules of `rules.py`, with what they need looked up in between."""

from collections.abc import Callable
from datetime import datetime

from ingest.connection_shares import Lists
from ingest.identity.lookups import Lookups
from ingest.models.requests import Audience, SendBody
from ingest.sends import audience as audiences
from ingest.sends import rules as sending
from ingest.sends.audience import Resolved
from ingest.sends.rules import LookupResult, RequiredLookups, Rules
from storage.media.store import MediaStore
from storage.model.caller import App, AppCaller, Caller
from storage.model.media import MediaObject, is_key
from storage.model.send import Send


class SendValidator:
    """Says of a request whether it may be sent, and as what."""

    def __init__(
        self,
        lookups: Lookups,
        lists: Lists,
        *,
        media: MediaStore,
        rules: Rules,
        clock: Callable[[], datetime],
    ) -> None:
        self._lookups = lookups
        self._media = media
        self._lists = lists
        self._rules = rules
        self._clock = clock

    async def judge(self, body: SendBody, caller: Caller) -> Send:
        """The send. Raises CallerError of some kind (contract §2), or TransientError."""
        needs = sending.needs(body, caller, rules=self._rules)
        facts = await self._find(needs, caller)
        return sending.decide(body, caller, facts, rules=self._rules, now=self._clock())

    async def _find(self, needs: RequiredLookups, caller: Caller) -> LookupResult:
        receiver_id, named_app_id, account, sender_account, media_key, audience = needs
        named_app = None if named_app_id is None else await self._app(named_app_id)
        # An account is a name in the app that the request names, or in the one that calls.
        home = caller.app if isinstance(caller, AppCaller) else named_app
        if receiver_id is None and account is not None:
            receiver_id = await self._user_id(home, account)
        people = self._lookups.people
        media, is_uploaded = (
            (None, False) if media_key is None else await self._object(media_key, caller)
        )
        return LookupResult(
            None
            if receiver_id is None
            else people.remembered(receiver_id) or await people.find(receiver_id),
            named_app,
            None if sender_account is None else await self._user_id(home, sender_account),
            media,
            is_uploaded,
            None if audience is None else await self._audience(caller, home, audience),
        )

    async def _object(self, key: str, caller: Caller) -> tuple[MediaObject | None, bool]:
        """Whose object it is and, if it is the caller's, whether it is there."""
        known = await self._lookups.objects.submit(key) if is_key(key) else None
        if known is None or known.owner != caller.key:
            return known, False
        return known, await self._media.holds(key)

    async def _app(self, app_id: str) -> App | None:
        known = await self._lookups.apps.find(app_id)
        return None if known is None else known.app

    async def _user_id(self, app: App | None, account: str) -> int | None:
        return None if app is None else await self._lookups.accounts.find((app.id, account))

    async def _audience(
        self, caller: Caller, app: App | None, audience: Audience
    ) -> Resolved | None:
        if app is None:
            return None
        # Up to 100,000 names are a long question: not of the share that every send needs.
        async with self._lists.turn(caller) as database:
            return await audiences.resolve(database, audience, app=app)
