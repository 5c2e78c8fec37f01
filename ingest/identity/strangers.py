"""Tells gateways whether a token's `sub` is a person of the table (contract §1).

Runs in the background of every ingest process; gateways themselves do not ask PostgreSQL
(docs/decisions/0031-who-is-disabled-and-who-is-nobody.md).
"""

import asyncio
import logging

from storage.model.errors import TransientError
from storage.postgres.database import Database
from storage.postgres.people import directory
from storage.valkey.strangers import Strangers

_PAUSE_SECONDS = 1.0  # while Valkey or the record is away

_log = logging.getLogger(__name__)


async def answer_gateways(strangers: Strangers, database: Database) -> None:
    """Answer what gateways ask, until cancelled or `strangers` is closed.

    Before Python 3.12 redis-py can drop a cancellation, so closing has to end it too. While the record is away
    gateways get no answer, and let people in.
    """
    while not strangers.is_closed:
        try:
            if asked := await strangers.take_questions():
                found = await database.query(directory.find_many, set(asked))
                await strangers.answer(asked, somebody=found.keys())
        except TransientError as error:
            _log.debug("Gateways are not answered, for now: %s", error.detail)
            await asyncio.sleep(_PAUSE_SECONDS)
