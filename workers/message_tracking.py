"""How operators see messages pass through the workers: delays in the metrics, spans in traces, lines in the log.

Called by the persist lane and the broadcast lanes behind each step.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client import Histogram

from storage.model.message import PersistedMessage
from storage.model.origin import Origin
from workers.services import Services

_log = logging.getLogger(__name__)


def observe_delay(histogram: Histogram, batch: Sequence[PersistedMessage]) -> None:
    """Note how long ago the oldest send of `batch` was accepted, by this process's clock; nothing if it is empty.

    Of the oldest only: one for every message would cost a good part of persisting it.
    """
    if batch:
        oldest = min(message.created_at for message, _ in batch)
        histogram.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


def trace_messages(
    services: Services, step: str, batch: Sequence[PersistedMessage], *, since: float
) -> None:
    """Write, for each message, a span of `step` that began at `since` (Unix time) and ends now, and a debug line.

    Both lead back to the request that sent the message. Without traces and debug logs nothing is done.
    """
    tracing, is_logged = services.tracing, _log.isEnabledFor(logging.DEBUG)
    if tracing is None and not is_logged:
        return
    for message, origin in batch:
        if tracing is not None:
            tracing.record_span(step, origin, since=since, message_id=message.id)
        if is_logged:
            extra = {"request_id": Origin.parse(origin).request_id}
            _log.debug("%s: message %d", step, message.id, extra=extra)
