"""Liveness: what a pool process tells of its tasks, and when it has failed at everything for too long."""

from workers.supervision.liveness import Liveness


def test_a_process_that_only_fails_is_hopeless_after_the_limit() -> None:
    """A process whose tasks all failed for as long as the limit is told so; one success, and the time starts anew."""
    now = [0.0]
    liveness = Liveness(limit_seconds=60, clock=lambda: now[0])
    for now[0], is_hopeless in ((10.0, False), (69.0, False), (70.0, True)):
        assert liveness.record_failure() is is_hopeless
    liveness.record_success()
    now[0] = 200.0
    assert not liveness.record_failure()


def test_only_a_success_moves_the_instant_that_the_watchdog_looks_at() -> None:
    """The last success is at first when it was made; a failure leaves it, a success sets it to now."""
    now = [5.0]
    liveness = Liveness(limit_seconds=60, clock=lambda: now[0])
    now[0] = 70.0
    liveness.record_failure()
    assert liveness.last_success_at == 5.0
    liveness.record_success()
    assert liveness.last_success_at == 70.0
