"""Erasing people whose erasure was begun, a slice at a time. A part of upkeep.

The record's part is in `storage/postgres/personal_data/`; uploads that were never sent are deleted here.
"""

import logging

from storage.model.errors import CarillonError
from storage.postgres.personal_data import erasure_steps
from workers.services import Services

_log = logging.getLogger(__name__)

ROWS_PER_SLICE = 2_000  # deleted in one transaction: short enough for others to wait for


def erase_slice(services: Services) -> bool:
    """Take the next step of an erasure, in one short transaction; False: there is none that can be taken now.

    Safe to repeat, to interrupt and to run twice at once. When the media store cannot delete, the erasure rests and others
    go on.
    """
    taken = services.database.transaction(erasure_steps.take_step, slice=ROWS_PER_SLICE)
    if taken is None:
        return False
    if taken.unsent_media:
        _delete_media(services, taken)
    elif taken.step == "media":
        _log.info("The erasure of user %d is finished.", taken.user_id)
    return True


def _delete_media(services: Services, taken: erasure_steps.StepTaken) -> None:
    run = services.database.transaction
    try:
        for key in taken.unsent_media:
            services.media.delete(key)
    except CarillonError as error:
        _log.error("Uploads of user %d cannot be deleted now: %s", taken.user_id, error.detail)
        run(erasure_steps.record_failure, taken.user_id, error=error.detail)
    else:
        run(erasure_steps.forget_media, taken)
