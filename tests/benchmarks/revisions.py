"""Compare figures with those of an earlier version of the tap."""

from __future__ import annotations

import argparse
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.result import Result

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def of_revision(revision: str) -> Iterator[Path]:
    """Unpack the tap of a revision into a folder."""
    command = ["git", "-C", str(REPOSITORY), "archive", revision, "tap_gorgias"]
    archive = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(fileobj=BytesIO(archive.stdout)) as files,
    ):
        files.extractall(folder)  # noqa: S202 (our own repository)
        yield Path(folder)


def compare(program: str, results: Callable[[Path], Iterator[Result]]) -> None:
    """Print a table of figures, and those of a revision if one is named.

    Args:
        program: The name of the command in the usage message.
        results: Maps the folder of a version of the tap to its figures.
    """
    parser = argparse.ArgumentParser(program)
    parser.add_argument("before", nargs="?", metavar="REVISION", help="to compare with")
    revision = parser.parse_args().before
    before: dict[str, str] = {}
    if revision:
        with of_revision(revision) as package:
            before = {one.what: one.measured for one in results(package)}
    lines = ["| figure | before | now | goal |", "| --- | --- | --- | --- |"]
    for one in results(REPOSITORY):
        mark = "" if one.reached else ", missed"
        figures = f"{before.get(one.what, '')} | {one.measured}{mark} | {one.goal}"
        lines.append(f"| {one.what} | {figures} |")
    print("\n".join(lines))  # noqa: T201 (its purpose)
