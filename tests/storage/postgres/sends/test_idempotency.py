"""Idempotency keys: two requests with one key are one send, for a day."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from storage.model.errors import Invalid
from storage.model.send import Accepted, IdempotencyKey
from storage.postgres.sends import backlog, intake
from storage.postgres.sends.intake import IntakeItem
from tests.builders import a_notification, a_send, accept


def test_the_same_key_and_body_is_one_send(engine: Engine) -> None:
    """A second use of a key gives the first answer again and writes nothing."""
    key = IdempotencyKey("user:1", "k", b"body")
    request = IntakeItem(a_notification(action_text="去"), key)
    with engine.begin() as connection:
        [first, again] = intake.accept(connection, [request, request])
    with engine.begin() as connection:
        [later] = intake.accept(connection, [IntakeItem(a_send(), key)])
    assert isinstance(first, Accepted) and isinstance(again, Accepted)
    assert isinstance(later, Accepted)
    assert not first.is_replay and again.is_replay and later.is_replay
    assert first.id == again.id == later.id
    assert first.created_at == later.created_at
    assert later.send == first.send
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 1


def test_a_key_with_another_body_is_refused_alone(engine: Engine) -> None:
    """The request with the misused key gets a CallerError; the others in its batch are accepted."""
    key = IdempotencyKey("user:1", "k", b"body")
    other = IdempotencyKey("user:1", "k", b"another body")
    with engine.begin() as connection:
        first, refused, fine = intake.accept(
            connection,
            [IntakeItem(a_send(), key), IntakeItem(a_send(), other), IntakeItem(a_send())],
        )
    assert isinstance(first, Accepted) and isinstance(fine, Accepted)
    assert isinstance(refused, Invalid)


def test_fifty_at_once_with_one_key_are_one_row(engine: Engine) -> None:
    """Concurrent transactions with the same key all get the id of the one that won (fault row 3)."""
    key = IdempotencyKey("user:1", "k", b"body")

    def once(_: int) -> int:
        with engine.begin() as connection:
            return accept(connection, a_send(), key=key)[0]

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(once, range(50)))
    assert len(ids) == 1
    with engine.begin() as connection:
        assert backlog.measure_backlog(connection).waiting == 1


def test_a_key_is_forgotten_after_a_day(engine: Engine) -> None:
    """A key that was used more than 24 hours ago is new again, also before upkeep has deleted it."""
    key = IdempotencyKey("user:1", "k", b"body")
    with engine.begin() as connection:
        first = accept(connection, a_send(), key=key)
        connection.execute(
            text("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
        )
    with engine.begin() as connection:
        assert accept(connection, a_send(), key=key) != first


def test_two_callers_may_use_the_same_key(engine: Engine) -> None:
    """The same key of two callers is two keys: both sends are accepted."""
    with engine.begin() as connection:
        first = accept(connection, a_send(), key=IdempotencyKey("user:1", "k", b"body"))
        second = accept(connection, a_send(), key=IdempotencyKey("app:1", "k", b"body"))
    assert first != second
