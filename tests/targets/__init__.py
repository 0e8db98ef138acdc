"""Tests through Meltano and real targets: `pytest -m targets`.

`python -m tests.targets.environments` installs what they need.
"""
