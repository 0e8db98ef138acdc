"""Readers of what the tap logs."""

from __future__ import annotations

import re
from typing import NamedTuple

ROW = re.compile(r"^([\w.-]+) +(\d+) +(\d+)  (.*)$", re.MULTILINE)
LINE = re.compile(r"^[\d-]+ [\d:,]+ \| (\w+) +\| (\S+) +\| (.*)$", re.MULTILINE)


class Result(NamedTuple):
    """A row of the summary."""

    rows: int
    requests: int
    result: str


def summary_of(log: str) -> dict[str, Result]:
    """Return the table at the end of a log, by stream."""
    table = log.rpartition("Summary of the run:\n")[2]
    return {
        name: Result(int(rows), int(requests), result)
        for name, rows, requests, result in ROW.findall(table)
    }


def lines_of(log: str) -> list[tuple[str, str, str]]:
    """Return the level, the logger and the text of each line."""
    return LINE.findall(log)


def errors_of(log: str) -> list[str]:
    """Return the texts of the error lines in a log."""
    return [text.strip() for level, _, text in lines_of(log) if level == "ERROR"]
