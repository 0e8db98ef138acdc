"""Run dbt for each line of stdin, and answer with its exit code.

A line is JSON: the `arguments`, the environment `variables`, the `folder`, and the file
of the `output`. A run is a fork of this process, which has imported dbt already.
"""

from __future__ import annotations

import json
import os
import sys

from dbt.cli.main import cli  # not the adapters: DuckDB has threads, which do not fork

for line in sys.stdin:
    run = json.loads(line)
    child = os.fork()
    if not child:
        with open(os.devnull) as nothing, open(run["output"], "w") as output:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os.environ.update(run["variables"])
        os.chdir(run["folder"])
        cli(run["arguments"])
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
