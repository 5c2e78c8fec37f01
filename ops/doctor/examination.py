"""Runs the checks, one after the other and each bounded in time: a server that hangs is a finding."""

import threading
from collections.abc import Collection, Iterator, Mapping

from ops.doctor import record_checks, service_checks
from ops.doctor.findings import Check, Finding, Level, Site
from storage.model.errors import CarillonError

PATIENCE_SECONDS = 6.0

CHECKS: Mapping[str, Check] = {
    "database": record_checks.check_database,
    "sessions": record_checks.check_sessions,
    "schema": record_checks.check_schema,
    "secrets": record_checks.check_secrets,
    "backlog": record_checks.check_backlog,
    "pauses": record_checks.check_pauses,
    "sweep": record_checks.check_sweep,
    "broadcasts": record_checks.check_broadcasts,
    "valkey": service_checks.check_valkey,
    "broker": service_checks.check_broker,
    "gateway": service_checks.check_gateway,
    "connections": service_checks.check_connections,
    "disk": service_checks.check_disk,
}
# What to do about a check that raised or hung.
MEND: Mapping[str, str] = {
    "database": "Is PostgreSQL up, and CARILLON_DATABASE_URL right?",
    "sessions": "See database.",
    "schema": "carillon db upgrade",
    "secrets": "Is CARILLON_SECRETS_KEY the one that the apps were added under?",
    "backlog": "See database.",
    "pauses": "See database.",
    "sweep": record_checks.START_SWEEPING,
    "broadcasts": "See database.",
    "valkey": "Is Valkey up, and CARILLON_VALKEY_URL right?",
    "broker": service_checks.START_BROKER,
}


def examine(
    site: Site, *, only: Collection[str] = (), patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Finding]:
    """Run the checks of CHECKS (`only` names some; empty: all) and yield what each found, in their order.

    A check that raises, or takes longer than `patience_seconds`, is a finding of level FAIL; nothing is raised.
    """
    for name, check in CHECKS.items():
        if not only or name in only:
            yield from _run_bounded(name, check, site, seconds=patience_seconds)


def _run_bounded(name: str, check: Check, site: Site, *, seconds: float) -> list[Finding]:
    """The findings of one check; what it raises, and that it hangs, are findings too."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(check(site))
        except CarillonError as error:
            found.append(Finding(name, Level.FAIL, error.detail, MEND.get(name, "")))
        except Exception as error:  # noqa: BLE001 (drivers raise many kinds; each is a finding)
            found.append(Finding(name, Level.FAIL, f"{type(error).__name__}.", MEND.get(name, "")))

    # A daemon: a check that hangs is left behind when the command ends.
    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return [Finding(name, Level.FAIL, f"No answer in {seconds:g} s.", MEND.get(name, ""))]
    return found
