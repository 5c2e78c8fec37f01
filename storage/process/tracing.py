"""Traces, as OpenTelemetry has them; nothing of it is loaded unless an endpoint is set.

OTEL_EXPORTER_OTLP_ENDPOINT and its kin are OpenTelemetry's own variables and mean what its specification says.
A trace is a request; what workers and gateways do for its sends are spans below it, found by the
`traceparent` that travels with a send (`model/origin.py`), since rings carry nothing.
"""

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.model.errors import InvalidSettings
from storage.model.origin import Origin

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACEPARENT = "traceparent"  # W3C Trace Context


@dataclass(frozen=True, slots=True)
class RequestSpan:
    """The span of a request that is being answered. Other processes put theirs below it by its `traceparent`."""

    traceparent: str
    _span: Any

    def end(self, name: str, *, status: int) -> None:
        """End the span: the request was answered. `name` has its route, which is known only now."""
        self._span.update_name(name)
        self._span.set_attribute("http.response.status_code", status)
        self._span.end()


def make_tracer(environ: Mapping[str, str], *, process: str) -> "Tracer | None":
    """The tracer of this process; None if no endpoint is set. `process` names its kind."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return None
    return Tracer(process)


class Tracer:
    """Makes spans. They are sent from a thread of their own, and dropped when the endpoint does not take them."""

    def __init__(self, process: str) -> None:
        if importlib.util.find_spec("opentelemetry.sdk") is None:
            raise InvalidSettings(
                "A traces endpoint is set (OTEL_EXPORTER_OTLP_…), but OpenTelemetry is not installed: "
                "pip install 'carillon[traces]'."
            )
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        resource = Resource.create({"service.name": f"carillon-{process}"})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("carillon")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, name: str, *, traceparent: str = "") -> RequestSpan:
        """Begin the span of a request; below the caller's, if it sent a `traceparent`."""
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415

        context = self._propagator.extract({TRACEPARENT: traceparent})
        span = self._tracer.start_span(name, context, kind=SpanKind.SERVER)
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return RequestSpan(carrier[TRACEPARENT], span)

    def record_span(self, name: str, origin: str, *, since: float, **attributes: Any) -> None:
        """Record a span that began at `since` (Unix time) and ends now, below that of `origin` (an `Origin.text`).

        Records nothing if the origin has no span.
        """
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        traceparent = Origin.parse(origin).traceparent
        if not traceparent:
            return
        context = self._propagator.extract({TRACEPARENT: traceparent})
        span = self._tracer.start_span(
            name,
            context,
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            start_time=int(since * 1e9),
        )
        span.end(time.time_ns())

    def close(self) -> None:
        """Send the spans that are left, and stop."""
        self._provider.shutdown()
