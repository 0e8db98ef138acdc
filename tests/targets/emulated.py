"""Targets for cloud warehouses, which load an emulator on this machine."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from typing import TYPE_CHECKING

from tap_gorgias.compat import override
from tests.targets.environments import SCRIPTS, executable
from tests.targets.processes import output_of
from tests.targets.target import Row, Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class EmulatedTarget(Target):
    """A target without its delays and cloud storage, and queries of its emulator."""

    @property
    @override
    def command(self) -> Sequence[str | Path]:
        """The command that starts the target without its delays."""
        python = executable(self.name, "python")
        return [python, SCRIPTS / "hurried_target.py", self.name]

    @property
    @abstractmethod
    def query_command(self) -> Sequence[str | Path]:
        """The command that runs queries, which follow as arguments."""

    def ask(self, *queries: str) -> list[list[Row]]:
        """Return the rows that each query or statement answers with."""
        variables = {**os.environ, **self.variables}
        output = output_of([*self.query_command, *queries], env=variables)
        return [json.loads(line) for line in output.split("\n")[:-1]]
