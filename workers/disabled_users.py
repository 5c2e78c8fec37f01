"""Who is disabled, as gateways know it: marks on the bus, made what the record says. A part of the sweep.

Commands that disable or enable somebody tell the bus at once. What they could not tell, because Valkey was away or they
died in between, is told here within seconds, in both directions
(docs/decisions/0031-who-is-disabled-and-who-is-nobody.md).
"""

import logging
from datetime import timedelta

from storage.model.errors import TransientError
from storage.postgres import periodic_jobs
from storage.postgres.people import directory
from workers.services import Services

_log = logging.getLogger(__name__)

COUNT_EVERY = timedelta(seconds=5)
# Equal numbers may hide one that is missing and one too many.
COMPARE_EVERY = timedelta(minutes=1)
_AT_ONCE = timedelta(0)


def reconcile(services: Services) -> None:
    """Make the marks on the bus what the record says: at once after a wipe of Valkey, else every few seconds.

    Several workers may call it as often as they like; one of them looks. If PostgreSQL or Valkey is away, nothing
    changes, and a line of the log says so.
    """
    try:
        if not services.bus.has_disabled_marks():
            services.bus.restore_disabled(services.database.transaction(directory.list_disabled))
        elif _may_differ(services):
            _correct_marks(services)
    except TransientError as error:
        _log.warning("Who is disabled is not on the bus, for now: %s", error.detail)


def _may_differ(services: Services) -> bool:
    """Whether it is time to compare: the numbers differ, or nobody has compared in full for a while."""
    run = services.database.transaction
    if not run(periodic_jobs.take_over, periodic_jobs.DISABLED, late=_AT_ONCE, every=COUNT_EVERY):
        return False
    return services.bus.count_disabled() != run(directory.count_disabled) or run(
        periodic_jobs.take_over, periodic_jobs.DISABLED_IN_FULL, late=_AT_ONCE, every=COMPARE_EVERY
    )


def _correct_marks(services: Services) -> None:
    """Compare everyone who is disabled, and tell the bus of those whose mark is wrong."""
    run = services.database.transaction
    differing = services.bus.read_disabled() ^ frozenset(run(directory.list_disabled))
    if not differing:
        return
    # Asked again, of these alone: a command may have changed one meanwhile, and told the bus.
    disabled = frozenset(run(directory.find_disabled, sorted(differing)))
    services.bus.restore_disabled(sorted(disabled))
    services.bus.enable(*sorted(differing - disabled))
    _log.info(
        "Gateways were told late of %d who are disabled and %d who are not.",
        len(disabled),
        len(differing - disabled),
    )
