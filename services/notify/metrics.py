"""What the senders count, for Prometheus."""

from prometheus_client import Counter

from services.notify.deliveries.retries import Accepted, Outcome

ATTEMPTS = Counter(
    "shilian_deliveries_total", "Attempts to send a message, by what came of them", ["channel", "outcome"]
)


def attempted(channel: str, outcome: Outcome) -> None:
    """Counts an attempt: accepted, or the class of failure."""
    ATTEMPTS.labels(channel, "accepted" if isinstance(outcome, Accepted) else outcome.trouble.value).inc()
