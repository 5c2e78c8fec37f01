"""Instants as numbers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.instant import to_unix_ms

pytestmark = pytest.mark.pure

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(instant=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zones))  # noqa: DTZ001
def test_milliseconds_are_cut_and_never_rounded(instant: datetime) -> None:
    """An instant's Unix milliseconds are the last whole one that is not after it, whatever its offset."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    begun = epoch + timedelta(milliseconds=1) * to_unix_ms(instant)
    assert timedelta(0) <= instant - begun < timedelta(milliseconds=1)
