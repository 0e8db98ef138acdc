"""Run the only job of a file for Dagster in this process: run_dagster.py FILE."""

import runpy
import sys

definitions = runpy.run_path(sys.argv[1])["definitions"]
[job] = definitions.resolve_all_job_defs()
assert job.execute_in_process().success
