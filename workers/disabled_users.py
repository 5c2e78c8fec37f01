"""Who is disabled, as gateways know it: marks on the bus, derived from the record and put right by the sweep.

Commands that change it tell the bus at once; what they could not say (Valkey away, a crash in between), in either
direction, is made good here within seconds.
"""

import logging
from datetime import timedelta

from storage.model.errors import TransientError
from storage.postgres import turns
from storage.postgres.people import directory
from workers.services import Services

_log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)
# One missed in each direction leaves the number as it is.
IN_FULL_EVERY = timedelta(minutes=1)
_AT_ONCE = timedelta(0)


def reconcile(services: Services) -> None:
    """Make the marks what the record says; after a wipe of Valkey at once, else every few seconds."""
    try:
        if not services.bus.knows_disabled():
            services.bus.remember_disabled(services.database.transaction(directory.disabled_ids))
        elif _may_differ(services):
            _put_right(services)
    except TransientError as error:
        _log.warning("Who is disabled is not on the bus, for now: %s", error.detail)


def _may_differ(services: Services) -> bool:
    run = services.database.transaction
    if not run(turns.take, turns.DISABLED, late=_AT_ONCE, every=EVERY):
        return False
    return services.bus.disabled_count() != run(directory.disabled_count) or run(
        turns.take, turns.DISABLED_IN_FULL, late=_AT_ONCE, every=IN_FULL_EVERY
    )


def _put_right(services: Services) -> None:
    differing = services.bus.disabled() ^ frozenset(
        services.database.transaction(directory.disabled_ids)
    )
    if not differing:
        return
    # Asked again, of these alone: a command may have changed one meanwhile, and told the bus.
    disabled = frozenset(services.database.transaction(directory.disabled_among, sorted(differing)))
    services.bus.remember_disabled(sorted(disabled))
    services.bus.enable(*sorted(differing - disabled))
    _log.info(
        "Gateways were told late of %d who are disabled and %d who are not.",
        len(disabled),
        len(differing - disabled),
    )
