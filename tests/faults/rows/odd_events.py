"""Row 42: messages whose event cannot be made, planted in the intake."""

from ops.local.polling import wait_until
from storage.postgres.messages import unpublished
from tests.faults.environment import FaultEnvironment, Findings
from tests.faults.ledger import p99
from tests.faults.rows.workers import SENDS, await_progress, has_pool

KEY = "u-1/0123456789abcdef0123456789abcdef.png"
# What a newer version would have written, and an image.
_PLANT = """
INSERT INTO accepted (id, sender_id, receiver_id, type, content_type, title, content)
VALUES (next_message_id(), :sender, :receiver, :type, :content_type, 'odd', :content) RETURNING id
"""
_SET_ASIDE = "SELECT count(*) FROM unpublished WHERE message_id = ANY(:ids) AND error IS NOT NULL"
_DELIVERED = "SELECT count(*) FROM deliveries WHERE message_id = ANY(:ids) AND user_id = :user_id"
_FORGET = "DELETE FROM unpublished WHERE message_id = ANY(:ids) RETURNING message_id"
# A bucket, and nobody who may sign for it.
_NO_CREDENTIALS = {
    "CARILLON_S3_BUCKET": "gone",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


def plant(environment: FaultEnvironment) -> Findings:
    """42: a type nobody knows, an image that nobody can sign: set aside, and everything behind goes on."""
    environment.stack.relaunch(SENDS, **_NO_CREDENTIALS)
    wait_until(lambda: has_pool(environment), seconds=30)
    with environment.make_traffic(per_second=100) as traffic:
        await_progress(traffic)
        sender, receiver = traffic.people[:2]
        odd = [
            int(environment.query(_PLANT, sender=sender, receiver=receiver, **fields))
            for fields in (
                {"type": "TELEGRAM", "content_type": "TEXT", "content": "stop"},
                {"type": "MESSAGE", "content_type": "IMAGE", "content": KEY},
            )
        ]
        are_aside = wait_until(
            lambda: environment.query(_SET_ASIDE, ids=odd) == len(odd), seconds=20
        )
        since = max(sent.began_at for sent in traffic.ledger.sent)
        await_progress(traffic)
        await_progress(traffic)
        slowest = p99(traffic.measure_frame_seconds(since=since))
    found = traffic.collect_findings(behind_p99_ms=round(slowest * 1000))
    found.must(are_aside, "both are set aside, with their reason")
    found.must(
        environment.query(_DELIVERED, ids=odd, user_id=receiver) == 2, "both are in the history"
    )
    found.must(slowest < environment.relax(1), "frames of what is behind them come within a second")
    environment.stack.relaunch(SENDS, CARILLON_S3_BUCKET="")
    with environment.engine.begin() as connection:
        unpublished.retry_set_aside(connection)
    [unknown, image] = odd
    found.must(
        wait_until(lambda: environment.query(_SET_ASIDE, ids=[image]) == 0, seconds=40),
        "the image is published once it can be signed",
    )
    found.must(environment.query(_SET_ASIDE, ids=[unknown]) == 1, "the other waits for its version")
    environment.query(_FORGET, ids=odd)
    return found
