"""Load Gorgias every hour with Dagster."""

import subprocess

import dagster

LOAD = ["/path/to/tap-gorgias/scripts/load.sh", "/srv/gorgias"]


@dagster.op
def load() -> None:
    """Fail if not everything was read."""
    subprocess.run(LOAD, check=True)


@dagster.job
def gorgias() -> None:
    """Load what changed."""
    load()


schedule = dagster.ScheduleDefinition(job=gorgias, cron_schedule="15 * * * *")
definitions = dagster.Definitions(jobs=[gorgias], schedules=[schedule])
