"""Moments on the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from ops.cli.terminal.moments import parse_moment

pytestmark = pytest.mark.quick

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1d12h", timedelta(hours=36)),
    ],
)
def test_a_duration_counts_from_now(text: str, length: timedelta) -> None:
    """A duration counts from now on, or back from now where the past is meant."""
    assert parse_moment(text, now=NOW) == NOW + length
    assert parse_moment(text, now=NOW, is_past=True) == NOW - length


def test_an_instant_has_its_offset() -> None:
    """An instant with an offset is itself, whatever way durations count."""
    for is_past in (False, True):
        found = parse_moment("2026-03-18T21:00:00+08:00", now=NOW, is_past=is_past)
        assert found == NOW + timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "2", "h", "12h1d", "-1h", "2026-03-18T21:00:00"])
def test_what_could_mean_several_times_is_refused(text: str) -> None:
    """A number without a unit, an instant without an offset and the like are no moment."""
    with pytest.raises(ValueError, match=r"^"):
        parse_moment(text, now=NOW, is_past=True)
