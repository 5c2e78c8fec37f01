"""What an ingest process measures of itself, as Prometheus metrics (contract §7).

Labels are route templates, methods, statuses and the numbers or ids of apps, never ids of people or messages, so that the
number of series is bounded. Each application has a registry of its own, so that several can live in one process.
"""

from collections import Counter as Tally
from collections.abc import Collection, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from storage.model.pause import PAUSABLE_QUEUES, PauseKind
from storage.model.send import Send
from storage.postgres.sends.backlog import Backlog
from storage.process.metrics_export import export_metrics

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
# For figures read from the database, which are the same whichever process read them.
_LATEST: Final = "livemostrecent"
# Apps that have a series of their own when they are paused: the number of series is bounded.
_PAUSED_APPS: Final = 20
_OTHER_APPS: Final = "(others)"


class IngestMetrics:
    """The metrics of one ingest process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._requests = Histogram(
            "carillon_request_seconds",
            "Time to answer, by route template, method and status.",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._request_series: dict[tuple[str, str, int], Histogram] = {}
        stages = Histogram(
            "carillon_intake_seconds",
            "Stages of the intake, of every batch: gather (its oldest send's wait), commit.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.gather_seconds = stages.labels("gather")
        self.commit_seconds = stages.labels("commit")
        self.batch_size = Histogram(
            "carillon_intake_batch_size",
            "Sends committed together.",
            buckets=_SIZES,
            registry=registry,
        )
        self._waiting = Gauge(
            "carillon_accepted_waiting",
            "Sends accepted and not yet delivered.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._oldest = Gauge(
            "carillon_accepted_oldest_seconds",
            "Age of the oldest of those.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._failed = Gauge(
            "carillon_failed_sends",
            "Dead letters, for an operator to look at.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._set_aside = Gauge(
            "carillon_set_aside_events",
            "Messages whose event cannot be published, each alone; tried again and again.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._drifted = Gauge(
            "carillon_unread_drift",
            "Unread counters and to-dos that the last nightly recount of a sample found wrong; must be 0.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._broadcasts = Gauge(
            "carillon_broadcasts_running",
            "Broadcasts that are planned, expanded or taken back now.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._people_left = Gauge(
            "carillon_broadcast_people_left",
            "People whose chunk of a broadcast is still waiting.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._clock_ahead = Gauge(
            "carillon_database_clock_ahead_seconds",
            "PostgreSQL's clock, less that of this process; past 3,600 nothing is accepted.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._sweep_age = Gauge(
            "carillon_sweep_age_seconds",
            "Since beat last had something swept; workers do it themselves after a few seconds.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._scheduled_due = Gauge(
            "carillon_scheduled_due",
            "Scheduled sends that are due and not yet delivered.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._ids_ahead = Gauge(
            "carillon_ids_ahead_seconds",
            "The instant in the highest message id, less PostgreSQL's clock: how far that was set back.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._parts_failing = Gauge(
            "carillon_broadcast_parts_failing",
            "Chunks and plans of broadcasts that failed and are tried again, for ever.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._callback_oldest = Gauge(
            "carillon_callback_oldest_seconds",
            "Age of the oldest event that an app's endpoint, if it is active, has not taken; 0: there is none.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._callback_overdue = Gauge(
            "carillon_callback_overdue_seconds",
            "For how long the endpoint that waits longest could have been called, and no worker has it in hand.",
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._callback_stopped = Gauge(
            "carillon_callback_endpoints_stopped",
            "Endpoints of apps that are called no more, by status: PAUSED (failed too often), OFF (410).",
            ["status"],
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        self._paused = Gauge(
            "carillon_paused",
            "1 while an operator has paused it; kind: queue or app, target: its name.",
            ("kind", "target"),
            registry=registry,
            multiprocess_mode=_LATEST,
        )
        for queue in PAUSABLE_QUEUES:
            self._paused.labels("queue", queue).set(0)
        self._paused_apps: set[str] = set()
        self._accepted = Counter(
            "carillon_accepted_sends",
            "Sends accepted, by the sending app's number (people: -) and kind; replays left out.",
            ("app", "kind"),
            registry=registry,
        )
        self._rings = Counter(
            "carillon_rings",
            "Rings asked for after accepting, by queue and outcome: rung, joined, failed.",
            ("queue", "outcome"),
            registry=registry,
        )
        self.database_wait = Histogram(
            "carillon_database_wait_seconds",
            "Wait of a question for a connection to the database, by share: sends, reads, lists, strangers, probes.",
            ("share",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.database_busy = Counter(
            "carillon_database_busy",
            "Questions that got no connection in time, by share: each is an answer of 503.",
            ("share",),
            registry=registry,
        )

        self.limits_unchecked = Counter(
            "carillon_limits_unchecked",
            "Requests that passed without their limits: Valkey was away or slow.",
            registry=registry,
        )
        self.nonces_unchecked = Counter(
            "carillon_nonces_unchecked",
            "Signed requests of apps that passed although nobody could tell whether they came before: Valkey was away.",
            registry=registry,
        )

        self.operator_acts = Counter(
            "carillon_operator_acts",
            "What operators did at the console, by act; what commands did is only in the audit.",
            ("act",),
            registry=registry,
        )
        self.operator_acts_refused = Counter(
            "carillon_operator_acts_refused",
            "Acts at the console that the operator's role does not allow, by act.",
            ("act",),
            registry=registry,
        )
        self.sign_ins_refused = Counter(
            "carillon_sign_ins_refused",
            "Sign-ins to the console that were refused, by reason: wrong, too-many.",
            ("reason",),
            registry=registry,
        )
        # A series that begins with its first refusal would hide that one from rates.
        for reason in ("wrong", "too-many"):
            self.sign_ins_refused.labels(reason)

    def count_request(self, route: str, *, method: str, status: int, seconds: float) -> None:
        """Count one response, `seconds` after its request; `route` is the template of its path."""
        key = (route, method, status)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = self._requests.labels(route, method, str(status))
        series.observe(seconds)

    def count_accepted(self, sends: Iterable[Send]) -> None:
        """Count the sends that one batch has accepted."""
        tally = Tally([(send.sent_by_app_id, send.is_broadcast, send.type) for send in sends])
        for (app_id, is_broadcast, type), count in tally.items():
            app = "-" if app_id is None else str(app_id)
            kind = "BROADCAST" if is_broadcast else type.value
            self._accepted.labels(app, kind).inc(count)

    def count_ring(self, queue: str, outcome: str) -> None:
        """Count a ring of `queue` by its outcome: rung, joined or failed."""
        self._rings.labels(queue, outcome).inc()

    def show_backlog(self, backlog: Backlog) -> None:
        """Show how much is waiting in the database."""
        self._waiting.set(backlog.waiting)
        self._oldest.set(backlog.oldest_seconds)
        self._failed.set(backlog.failed)
        self._set_aside.set(backlog.set_aside)
        self._drifted.set(backlog.drifted)
        self._broadcasts.set(backlog.broadcasts)
        self._people_left.set(backlog.people_left)
        self._parts_failing.set(backlog.parts_failing)
        self._clock_ahead.set(backlog.clock_ahead_seconds)
        self._ids_ahead.set(backlog.ids_ahead_seconds)
        self._sweep_age.set(backlog.sweep_age_seconds)
        self._scheduled_due.set(backlog.scheduled_due)
        self._show_pauses(backlog.paused)
        self._callback_oldest.set(backlog.endpoints.oldest_seconds)
        self._callback_overdue.set(backlog.endpoints.overdue_seconds)
        self._callback_stopped.labels("PAUSED").set(backlog.endpoints.paused)
        self._callback_stopped.labels("OFF").set(backlog.endpoints.off)

    def _show_pauses(self, paused: Collection[tuple[str, str]]) -> None:
        for queue in PAUSABLE_QUEUES:
            self._paused.labels("queue", queue).set(("queue", queue) in paused)
        apps = {self._choose_target(target) for kind, target in paused if kind == PauseKind.APP}
        for app_id in self._paused_apps:
            self._paused.labels("app", app_id).set(app_id in apps)

    def _choose_target(self, app_id: str) -> str:
        """The label of a paused app: its own while there are few; of a process the first ones keep theirs."""
        if len(self._paused_apps) < _PAUSED_APPS:
            self._paused_apps.add(app_id)
        elif app_id not in self._paused_apps:
            self._paused_apps.add(_OTHER_APPS)
            return _OTHER_APPS
        return app_id

    def export(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return export_metrics(self._registry)
