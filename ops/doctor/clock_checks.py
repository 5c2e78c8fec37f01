"""Whether the clocks of the servers and of this machine go alike: which of them is wrong, if they do not."""

from collections.abc import Iterator
from datetime import datetime

from ops.doctor.findings import Finding, Level, Site
from storage import health
from storage.model.errors import CarillonError
from storage.postgres.database import BlockingDatabase
from storage.settings import DatabaseSettings, ValkeySettings, load

# Signatures of apps are good for minutes (contract §1); people's tokens for exactly their time.
SKEW_WARNING_SECONDS, SKEW_FAILURE_SECONDS = 2.0, 60.0
_MEND = "Synchronize it by NTP (chrony, systemd-timesyncd)."


def check_clocks(site: Site) -> Iterator[Finding]:
    """Compare the clocks of PostgreSQL and Valkey with this machine's; nothing is found of a server that does not answer.

    If both servers agree with each other and not with us, it is this machine's clock that is wrong.
    """
    ahead = {name: seconds for name, seconds in _measure(site) if seconds is not None}
    if not ahead:
        return
    wrong = {
        name: seconds for name, seconds in ahead.items() if abs(seconds) >= SKEW_WARNING_SECONDS
    }
    if not wrong:
        most = max(abs(seconds) for seconds in ahead.values())
        yield Finding(
            "clock",
            Level.OK,
            f"The clocks of {', '.join(ahead)} and this machine agree ({most:.1f} s).",
        )
    elif len(wrong) > 1 and max(wrong.values()) - min(wrong.values()) < SKEW_WARNING_SECONDS:
        yield _judge(
            "This machine's", -next(iter(wrong.values())), f"those of {' and '.join(wrong)}"
        )
    else:
        for name, seconds in wrong.items():
            yield _judge(f"{name}'s", seconds, "this machine's")


def _judge(whose: str, seconds: float, others: str) -> Finding:
    level = Level.WARN if abs(seconds) < SKEW_FAILURE_SECONDS else Level.FAIL
    way = "ahead of" if seconds > 0 else "behind"
    return Finding("clock", level, f"{whose} clock is {abs(seconds):,.1f} s {way} {others}.", _MEND)


def _measure(site: Site) -> Iterator[tuple[str, float | None]]:
    """By how many seconds each server's clock is ahead of ours; None if it does not answer."""
    for name, read in (("PostgreSQL", _read_postgres), ("Valkey", _read_valkey)):
        try:
            yield name, (read(site) - site.clock()).total_seconds()
        except CarillonError:
            yield name, None


def _read_postgres(site: Site) -> datetime:
    record = BlockingDatabase(
        load(DatabaseSettings, site.variables), application_name="carillon doctor"
    )
    try:
        return record.transaction(health.examine_postgres).now
    finally:
        record.close()


def _read_valkey(site: Site) -> datetime:
    return health.examine_valkey(load(ValkeySettings, site.variables)).now
