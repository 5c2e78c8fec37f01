"""How long an endpoint rests after failures."""

from datetime import timedelta

import pytest

from workers.callbacks.back_off import find_pause

pytestmark = [pytest.mark.quick, pytest.mark.pure]


def test_pauses_grow_as_the_contract_says_and_then_end() -> None:
    """5 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 24 h; after one failure more nothing is tried by itself (contract §9)."""
    minutes = [5 / 60, 1, 5, 30, 120, 300, 600, 1440]
    assert [find_pause(n) for n in range(1, 9)] == [timedelta(minutes=one) for one in minutes]
    assert find_pause(9) is None
    assert find_pause(1000) is None
