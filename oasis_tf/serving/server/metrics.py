"""What the server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Where TensorFlow Serving publishes its own.
PATH = "/monitoring/prometheus/metrics"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The server's counters, in a registry of their own.

    Attributes:
        requests: requests answered, by HTTP status.
        seconds: from the last byte of a request to the first of its answer.
        batch_rows: rows of each call of the model.
        batch_seconds: duration of each call of the model.
        queued: requests that wait for a call.
        in_flight: requests being read, waiting or computed.
        version: the version that is served, 0 for none.
    """

    def __init__(self):
        self._registry = CollectorRegistry()
        options = dict(namespace="oasis_serving", registry=self._registry)
        self.requests = Counter("requests", "Requests answered.", ["status"], **options)
        self.seconds = Histogram(
            "request_seconds", "Time to answer a request.", buckets=_SECONDS, **options
        )
        self.batch_rows = Histogram(
            "batch_rows", "Rows of each call of the model.", buckets=_ROWS, **options
        )
        self.batch_seconds = Histogram(
            "batch_seconds", "Time of each call of the model.", buckets=_SECONDS, **options
        )
        self.queued = Gauge("queued_requests", "Requests waiting for a call.", **options)
        self.in_flight = Gauge("in_flight_requests", "Requests not yet answered.", **options)
        self.version = Gauge("model_version", "Version served; 0 for none.", **options)

    def text(self):
        """All of them in Prometheus' text format, as bytes."""
        return generate_latest(self._registry)
