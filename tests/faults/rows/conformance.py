"""Row 37: WebSocket conformance, by the published cases of the Autobahn test suite."""

from collections import Counter
from itertools import groupby
from pathlib import Path

from tests.faults.environment import FaultEnvironment, Findings
from tests.push_gateway.cases import MIB, all_cases
from tests.push_gateway.wire import Case, judge_case
from tests.push_gateway.wire_echo import echo_server
from tests.services import folder


def conform(environment: FaultEnvironment) -> Findings:
    """37: cases 1 to 7, 9 and 10 against an echo on our protocol class; how many of each group pass.

    Tried in a random order: none may depend on the one before.
    """
    cases = all_cases(largest=environment.scale(short=MIB, full=16 * MIB))
    environment.chance.shuffle(cases)
    with folder() as path, echo_server(Path(path)) as server:
        verdicts = {case.name: judge_case(case, server.port, "/echo") for case in cases}
    counted = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
    groups = groupby(sorted(cases, key=_get_group), key=_get_group)
    found = Findings({"cases": len(cases), **counted, "in groups": _format_counts(groups)})
    for name, verdict in verdicts.items():
        found.must("FAILED" not in verdict, f"case {name}: {verdict}")
    return found


def _get_group(case: Case) -> int:
    return int(case.name.partition(".")[0])


def _format_counts(groups: "groupby[int, Case]") -> str:
    return " ".join(f"{group}:{len(list(cases))}" for group, cases in groups)
