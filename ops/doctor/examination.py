"""Runs the checks, one after the other and each bounded in time, and tells each cause once.

A check that needs what is not there is not made, and a finding that only repeats another is told with it: so what stands
first is what to mend first.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ops.doctor import clock_checks, endpoint_checks, inbox_checks, record_checks, service_checks
from ops.doctor.findings import Blocked, Check, Finding, Level, Site
from storage.model.errors import CarillonError, InvalidSettings

PATIENCE_SECONDS = 8.0

# In the order in which they are made: what others need comes first.
CHECKS: Mapping[str, Check] = {
    "database": record_checks.check_database,
    "valkey": service_checks.check_valkey,
    "broker": service_checks.check_broker,
    "workers": service_checks.check_workers,
    "schema": record_checks.check_schema,
    "sessions": record_checks.check_sessions,
    "secrets": record_checks.check_secrets,
    "backlog": record_checks.check_backlog,
    "pauses": record_checks.check_pauses,
    "erasures": record_checks.check_erasures,
    "sweep": record_checks.check_sweep,
    "broadcasts": record_checks.check_broadcasts,
    "callbacks": endpoint_checks.check_endpoints,
    "media": service_checks.check_media,
    "gateway": service_checks.check_gateway,
    "connections": service_checks.check_connections,
    "inbox": inbox_checks.check_inbox,
    "disk": service_checks.check_disk,
    "backup": service_checks.check_backup,
    "clock": clock_checks.check_clocks,
}
# Without the other, a check cannot be made.
NEEDS: Mapping[str, str] = {
    "workers": "broker",
    **dict.fromkeys(
        (
            "schema",
            "sessions",
            "secrets",
            "backlog",
            "pauses",
            "erasures",
            "sweep",
            "broadcasts",
            "callbacks",
        ),
        "database",
    ),
    "connections": "gateway",
}
_SEE_SETTINGS = "Set it (docs/settings.md); `carillon settings` shows what is in force."
_SEE_LOGS = "The server's log says more."


@dataclass(slots=True)
class Examination:
    """What was found so far. `blocked` are the checks that could not do their work."""

    findings: list[Finding] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)

    def find_root(self, name: str) -> int | None:
        """The place of the failure that stands for `name`: its own, or the one that it is told with. None: `name` does not fail."""
        for number, one in enumerate(self.findings):
            is_told = name in one.not_examined or any(
                text.startswith(f"{name}: ") for text in one.follows
            )
            if one.level is Level.FAIL and (one.name == name or is_told):
                return number
        return None

    def add(self, finding: Finding) -> None:
        """Take `finding` over; if it only repeats a failure, it is told with that one."""
        places = [self.find_root(cause) for cause in finding.because]
        place = next((one for one in places if one is not None), None)
        if place is None or finding.level is Level.OK:
            self.findings.append(finding)
            return
        root = self.findings[place]
        text = "the same." if finding.text == root.text else finding.text
        follows = (*root.follows, f"{finding.name}: {text}")
        self.findings[place] = replace(root, follows=follows)

    def leave_out(self, name: str, *, cause: str) -> None:
        """Note that the check `name` is not made, because the check `cause` could not do its work."""
        self.blocked.add(name)
        place = self.find_root(cause)
        if place is not None:
            root = self.findings[place]
            self.findings[place] = replace(root, not_examined=(*root.not_examined, name))


def examine(
    site: Site, *, only: Collection[str] = (), patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Finding]:
    """Run the checks of CHECKS (`only` names some; empty: all) and yield what was found, each cause once.

    A check that raises, or takes longer than `patience_seconds`, is a finding of level FAIL; nothing is raised.
    """
    examination = Examination()
    for name, check in CHECKS.items():
        if only and name not in only:
            continue
        if NEEDS.get(name) in examination.blocked:
            examination.leave_out(name, cause=NEEDS[name])
            continue
        for found in _run_bounded(name, check, site, seconds=patience_seconds):
            if isinstance(found, Blocked):
                examination.blocked.add(name)
                examination.add(Finding(name, Level.FAIL, found.text, found.mend, found.because))
            else:
                examination.add(found)
    yield from examination.findings


def _run_bounded(name: str, check: Check, site: Site, *, seconds: float) -> list[Finding | Blocked]:
    """What one check found, and what kept it from its work: that it hangs, too."""
    found: list[Finding | Blocked] = []

    def run() -> None:
        try:
            found.extend(check(site))
        except Blocked as blocked:
            found.append(blocked)
        except InvalidSettings as error:
            found.append(Blocked(error.detail, _SEE_SETTINGS))
        except CarillonError as error:
            # Of another schema, a table or a column may not be there.
            found.append(Blocked(error.detail, _SEE_LOGS, because=("schema",)))
        except Exception as error:  # noqa: BLE001 (drivers raise many kinds; each is a finding)
            found.append(Blocked(f"{type(error).__name__}.", "A defect: please report it."))

    # A daemon: a check that hangs is left behind when the command ends.
    thread = threading.Thread(target=run, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return [Blocked(f"No answer in {seconds:g} s.", "It hangs: restart what it asks.")]
    return found
