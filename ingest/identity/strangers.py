"""Answers gateways whether a token's `sub` is anybody, for as long as the process runs (contract §1)."""

import asyncio
import logging

from storage.model.errors import TransientError
from storage.postgres.database import Database
from storage.postgres.people import directory
from storage.valkey.strangers import Strangers

REST_SECONDS = 1.0  # while Valkey or the record is away

log = logging.getLogger(__name__)


async def answer_gateways(strangers: Strangers, database: Database) -> None:
    """Until cancelled or closed. While the record is away gateways are told nothing, and let people in.

    Both, since redis-py can drop a cancellation before Python 3.12 (`push_gateway/app.py:ended`).
    """
    while not strangers.is_closed:
        try:
            if asked := await strangers.asked():
                found = await database.query(directory.find_many, set(asked))
                await strangers.answer(asked, somebody=found.keys())
        except TransientError as error:
            log.debug("Gateways are not answered, for now: %s", error.detail)
            await asyncio.sleep(REST_SECONDS)
