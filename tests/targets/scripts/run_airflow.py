"""Run the only task of a file for Airflow in this process: run_airflow.py FILE."""

import sys

from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
[dag] = bag.dags.values()
[task] = dag.tasks
task.execute({})
