"""WebSocket conformance (RFC 6455; fault row 37): Autobahn's cases, one by one, under their numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.push_gateway.cases import MIB, all_cases
from tests.push_gateway.conftest import Launch
from tests.push_gateway.running import Gateway, token
from tests.push_gateway.wire import Case, judge_case
from tests.push_gateway.wire_echo import echo_server

CASES = all_cases(largest=MIB)
# What the gateway takes at all (contract §5); of a thousand messages there and back it says nothing.
FOR_GATEWAY = [
    case for case in all_cases(largest=0) if case.size <= 65_536 and not case.name.startswith("9.")
]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An echo under our protocol class, which takes messages of any size."""
    with echo_server(Path(tmp_path_factory.mktemp("echo"))) as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_protocol_class_conforms(echo: Gateway, case: Case) -> None:
    """Every case up to 1 MiB passes against an echo on our protocol class."""
    assert judge_case(case, echo.port, "/echo") in {"OK", "NON-STRICT"}


def test_sockets_that_were_taken_over_conform(launch: Launch) -> None:
    """The same cases against the gateway itself, which answers pings and is silent otherwise."""
    gateway = launch()
    target = f"/api/v1/ws/messages?token={token(1)}"
    found = {
        case.name: judge_case(case.without_echo(), gateway.port, target) for case in FOR_GATEWAY
    }
    assert {name: verdict for name, verdict in found.items() if "FAILED" in verdict} == {}
    assert len(found) > 200
