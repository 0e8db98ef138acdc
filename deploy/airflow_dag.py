"""Load Gorgias every hour with Airflow 3."""

from datetime import datetime, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

LOAD = "/path/to/tap-gorgias/scripts/load.sh /srv/gorgias"
START = datetime(2026, 1, 1, tzinfo=timezone.utc)

with DAG(
    "gorgias",
    schedule="15 * * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
):
    BashOperator(task_id="load", bash_command=LOAD)
