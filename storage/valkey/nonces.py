"""Nonces that apps have used, so that a signed request works once (contract §1).

Called by ingest after it has verified a signature, so strangers fill nothing. A nonce is a Valkey key that lives as long
as its timestamp would be accepted. A Valkey that has lost its data has forgotten them (docs/decisions/0040).
"""

from datetime import timedelta

from storage.settings import ValkeySettings
from storage.valkey.connection import make_async_client, translate_valkey_errors


class UsedNonces:
    """What was used, shared by all ingest processes."""

    def __init__(self, valkey: ValkeySettings) -> None:
        self._client = make_async_client(valkey)

    async def use(self, nonce: str, *, app_id: int, lifetime: timedelta) -> bool:
        """Use up this app's nonce; False if it was used before. Raises TransientError when Valkey does not answer.

        `lifetime`: how long it is remembered. Of two uses at once one is False.
        """
        with translate_valkey_errors():
            is_new = await self._client.set(
                f"carillon:nonce:{app_id}:{nonce}", b"", nx=True, px=lifetime
            )
        return bool(is_new)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
