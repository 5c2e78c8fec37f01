"""What the gateway counts, for Prometheus (contract §7). No label ever holds an id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DELAYS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60)


class GatewayMetrics:
    """One set a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.sockets_open = Gauge(
            "carillon_sockets_open",
            "WebSockets open now.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.buffered_bytes = Gauge(
            "carillon_socket_buffered_bytes",
            "Bytes waiting for slow readers, on all sockets together.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.handshakes = Counter(
            "carillon_socket_handshakes_total",
            "Attempts to open a socket, by HTTP status of the answer.",
            ["status"],
            registry=registry,
        )
        self.closes = Counter(
            "carillon_socket_closes_total",
            "Sockets gone, by close code (1006: without a close frame).",
            ["code"],
            registry=registry,
        )
        self.resumes = Counter(
            "carillon_socket_resumes_total",
            "Clients that came back with since=, by outcome: replayed or resync.",
            ["outcome"],
            registry=registry,
        )
        self.resyncs = Counter(
            "carillon_resync_frames_total",
            "RESYNC frames sent because the feed may have missed something.",
            registry=registry,
        )
        self.frames = Counter(
            "carillon_frames_total", "Frames written to sockets.", registry=registry
        )
        self.events = Counter(
            "carillon_feed_events_total",
            "Events read from the bus, repeats left out.",
            registry=registry,
        )
        self.feed_failures = Counter(
            "carillon_feed_failures_total",
            "Times the feed lost Valkey and had to connect again.",
            registry=registry,
        )
        self.bus_writable = Gauge(
            "carillon_bus_writable",
            "1 if Valkey takes writes; 0: it is full, its disk is full, or it is away.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.bus_bytes = Gauge(
            "carillon_bus_bytes",
            "Bytes of Valkey's memory that the bus takes.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.published_to_frame = Histogram(
            "carillon_published_to_frame_seconds",
            "From an event's place on the bus to its last frame written.",
            buckets=DELAYS,
            registry=registry,
        )
        self.accepted_to_frame = Histogram(
            "carillon_accepted_to_frame_seconds",
            "From a message's acceptance to its last frame written.",
            buckets=DELAYS,
            registry=registry,
        )
