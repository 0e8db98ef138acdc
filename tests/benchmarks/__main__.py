"""Measure the costs of the tap and print a table.

    python -m tests.benchmarks
    python -m tests.benchmarks cpu memory

Every run is the installed command in its own process, over real HTTP and, where the
rate is measured, in real time. All benchmarks together take about half an hour.
"""

from __future__ import annotations

import argparse
import sys

from tests.benchmarks.at_once import at_once
from tests.benchmarks.conversations import day, imports, ticket_messages
from tests.benchmarks.machine import cpu, memory, start_up
from tests.benchmarks.needed import faults, requests
from tests.benchmarks.rates import followed, limits

PARTS = {
    "requests": requests,
    "messages": ticket_messages,
    "day": day,
    "imports": imports,
    "faults": faults,
    "start": start_up,
    "cpu": cpu,
    "memory": memory,
    "rate": limits,
    "followed": followed,
    "at_once": at_once,
}


def main() -> int:
    """Print a line for each figure; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks")
    parser.add_argument(
        "parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all by default"
    )
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    missed = 0
    print(f"{'figure':68} {'measured':>14}   goal")  # noqa: T201 (its purpose)
    for part in wanted:
        for result in PARTS[part]():
            missed += not result.reached
            mark = "" if result.reached else "   MISSED"
            line = f"{result.what:68} {result.measured:>14}   {result.goal}{mark}"
            print(line, flush=True)  # noqa: T201 (its purpose)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
