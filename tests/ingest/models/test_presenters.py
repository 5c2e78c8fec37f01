"""How instants look in answers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.models.presenters import Presenter

pytestmark = pytest.mark.pure

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


class NoMedia:
    """A store without objects."""

    def url(self, key: str, *, filename: str = "") -> str:
        """There is nothing to sign."""
        raise AssertionError(key, filename)


@given(instant=INSTANTS, zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/St_Johns"]))
def test_an_instant_is_shown_as_text_and_as_milliseconds(instant: datetime, zone: str) -> None:
    """The text is cut to the second in the deployment's zone, and the number beside it is the same instant's milliseconds."""
    text, ms = Presenter(ZoneInfo(zone), NoMedia()).show_instant(instant)
    local = instant.astimezone(ZoneInfo(zone))
    assert text == local.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    assert datetime.fromtimestamp(ms // 1000, UTC) == instant.replace(microsecond=0)
    assert ms % 1000 == instant.microsecond // 1000


def test_a_time_that_is_not_yet_is_null_twice() -> None:
    """Where there is no instant, its text and its number are both null."""
    assert Presenter(ZoneInfo("UTC"), NoMedia()).show_instant_or_none(None) == (None, None)
