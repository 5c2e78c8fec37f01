"""What the callbacks worker measures, for Prometheus; each metric is documented in docs/operations/metrics.md."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

# Apps that have a series of their own in one process: the first ones that fail. The rest are counted together.
MOST_APPS: Final = 20
OTHERS: Final = "(others)"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class CallbackMetrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.call_seconds = Histogram(
            "carillon_callback_seconds",
            "Time of a call of an app's endpoint, by outcome: taken, failed, gone.",
            ["outcome"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._failures = Counter(
            "carillon_callback_failures",
            "Calls of apps' endpoints that were not taken, by the app's number; after twenty apps of a process (others).",
            ["app"],
            registry=registry,
        )
        self._apps: set[str] = set()

    def count_failure(self, app_id: int) -> None:
        """Count a call of this app's endpoint that was not taken."""
        app = str(app_id)
        if len(self._apps) < MOST_APPS:
            self._apps.add(app)
        self._failures.labels(app if app in self._apps else OTHERS).inc()
