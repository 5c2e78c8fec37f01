"""`python -m tests.faults [--rows 1,2,4] [--seeds 3] [--short]`: exit 1 if a row fails."""

import argparse
import sys

from storage.process import open_files
from tests.faults.run import choose_rows, print_summary, run_all


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rows", default="", help="numbers with commas between; all if not given")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="a few seconds a row")
    asked = parser.parse_args()
    rows = choose_rows([int(number) for number in asked.rows.split(",") if number])
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    open_files.raise_limit()  # crowds of thousands of clients
    results = []
    for result in run_all(rows, seeds=seeds, is_short=asked.short):
        print(result.line, flush=True)  # noqa: T201 (a command prints)
        results.append(result)
    print_summary(results)
    return int(any(result.failures for result in results))


sys.exit(main())
