"""The settings of a worker, beside those of PostgreSQL, Valkey, the broker and the media store."""

from dataclasses import dataclass
from datetime import timedelta

from storage.setting_parsers import duration, whole_number
from storage.settings import setting


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How much a worker takes at a time, how long it waits, and what it keeps."""

    persist_batch: int = setting(
        "CARILLON_PERSIST_BATCH",
        500,
        parse=whole_number(1, 5000),
        help="Messages persisted in one transaction at most.",
    )
    chunk_size: int = setting(
        "CARILLON_CHUNK_SIZE",
        5000,
        parse=whole_number(1, 100_000),
        help="People in one chunk of a broadcast.",
    )
    drain: timedelta = setting(
        "CARILLON_DRAIN_SECONDS",
        timedelta(seconds=1),
        parse=duration(0.01, 20),
        help="A lane gives the queue back after this long, so that others get their turn.",
    )
    lease: timedelta = setting(
        "CARILLON_LEASE_SECONDS",
        timedelta(seconds=5),
        parse=duration(1, 3600),
        help="A chunk whose worker died before it was published is published by another after this long.",
    )
    max_attempts: int = setting(
        "CARILLON_MAX_ATTEMPTS",
        5,
        # Three attempts bring a batch down to the one row that kills its worker. With fewer than four its innocent
        # neighbours would become failed sends too.
        parse=whole_number(4, 100),
        help="A send that failed this often becomes a failed send, for a person to look at. A part of a "
        "broadcast is tried for ever; after this many failures the next ones of its app no longer wait for it.",
    )
    sweep_grace: timedelta = setting(
        "CARILLON_SWEEP_GRACE_SECONDS",
        timedelta(seconds=1),
        parse=duration(0.0, 600),
        help="Work that has waited this long past its time is rung again.",
    )
    sweep_late: timedelta = setting(
        "CARILLON_SWEEP_LATE_SECONDS",
        timedelta(seconds=3),
        parse=duration(1, 86_400),
        help="When beat has not had anything swept for this long, any worker does it, every second.",
    )
    stall: timedelta = setting(
        "CARILLON_WORKER_STALL_SECONDS",
        timedelta(seconds=60),
        parse=duration(0.5, 86_400),
        help="A worker that did no work for this long while some was due, and the broker there, ends "
        "itself. Its supervisor (`carillon up`, Compose, Kubernetes) starts it again.",
    )
    metrics_port: int = setting(
        "CARILLON_WORKER_METRICS_PORT",
        0,
        parse=whole_number(0, 65535),
        help="Port on which a worker serves its metrics (/metrics); 0: it does not. Needs "
        "PROMETHEUS_MULTIPROC_DIR, an empty folder that the processes of its pool share.",
    )
    retention_days: int = setting(
        "CARILLON_RETENTION_DAYS",
        0,
        parse=whole_number(0, 36_500),
        help="Months of messages all of which are older than this go, with their deliveries and "
        "broadcasts; 0: everything is kept.",
    )
    audit_retention_days: int = setting(
        "CARILLON_AUDIT_RETENTION_DAYS",
        1_095,
        # PostgreSQL itself keeps what is younger (`drop_old_audit`).
        parse=whole_number(31, 36_500),
        help="How many days what operators did is kept in the audit.",
    )
    drift_sample_percent: int = setting(
        "CARILLON_DRIFT_SAMPLE_PERCENT",
        1,
        parse=whole_number(0, 100),
        help="Share of the conversations whose unread counters are recounted every night.",
    )

    @property
    def audit_retention(self) -> timedelta:
        """How long the rows of the audit are kept."""
        return timedelta(days=self.audit_retention_days)

    @property
    def retention(self) -> timedelta:
        """How long messages are kept; zero: for ever."""
        return timedelta(days=self.retention_days)
