"""The files of `deploy/` and the examples of docs/deploy.md are consistent.

`.ci/run` validates them against the schemas of Compose, Kubernetes and GitHub.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tests.support.documents import DOCUMENTS, ROOT, block, text

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy"
FAILED_RUN = """#!/bin/sh
echo '2026-11-29T02:43:10Z [info     ] tap-gorgias  Summary of the run:
2026-11-29T02:43:13Z [info     ] target-postgres DETAIL:  Failing row contains (Jane)
Jane, in another line
2026-11-29T02:43:15Z [error    ] meltano      Loader failed
Error: There is no traceback' >&2
exit 3
"""
"""What Meltano prints if a target fails that shows a row; other errors have no date."""
COPIED = re.compile(r"^COPY (?:--chmod=\d+ )?(?!--)(.+) \S+$", re.MULTILINE)


def content(name: str) -> list[Any]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all((FOLDER / name).read_text("utf-8")))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """They start the script of this repository."""
    units = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
    assert len(units) == 3
    for unit in units:
        written = unit.read_text("utf-8").replace("/path/to/tap-gorgias", str(ROOT))
        (tmp_path / unit.name).write_text(written)

    done = subprocess.run(  # noqa: S603
        ["systemd-analyze", "verify", *(tmp_path / one.name for one in units)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )

    named = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert (done.returncode, named) == (0, [])


def test_two_runs_never_meet() -> None:
    """Neither on Kubernetes nor on GitHub."""
    [_, job] = content("cronjob.yaml")
    [workflow] = content("github-actions.yml")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert workflow["concurrency"]["cancel-in-progress"] is False


def test_containers_run_without_root_and_find_their_files() -> None:
    """The user of the image owns the folder of the state."""
    image = (FOLDER / "Dockerfile").read_text("utf-8")
    assert "USER 65532:65532" in image
    [_, job] = content("cronjob.yaml")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 65532
    paths = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    [compose] = content("compose.yaml")
    load = compose["services"]["load"]
    mounted = {one["target"] for one in load["secrets"]}
    assert {*mounted, "/data"} == paths
    assert load["volumes"] == ["state:/data"]


def test_the_image_gets_the_files_that_it_copies() -> None:
    """The file of ignored files lets them through, and they exist."""
    copied = COPIED.findall((FOLDER / "Dockerfile").read_text("utf-8"))
    names = {name for line in copied for name in line.split()}
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert names == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


def test_the_schedule_of_meltano_runs_a_job_of_the_project() -> None:
    """The lines can be added to meltano.yml as they are."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    added = yaml.safe_load(block("state_backend", "yaml"))
    assert not added.keys() & project.keys()
    [schedule] = added["schedules"]
    assert schedule["job"] in {job["name"] for job in project["jobs"]}
    assert f"meltano schedule run {schedule['name']}" in text()


def test_a_failed_run_of_meltano_is_shown_without_rows(tmp_path: Path) -> None:
    """By cron, and on GitHub, which fails. The log of cron is for its user alone."""
    (tmp_path / "meltano").write_text(FAILED_RUN)
    (tmp_path / "meltano").chmod(0o700)
    _, line = block("meltano schedule run", "text").splitlines()
    cron = line.split(maxsplit=5)[5].replace("/srv/helpdesk", str(tmp_path))
    [workflow] = content("github-actions.yml")
    step = next(s for s in workflow["jobs"]["load"]["steps"] if "env" in s)
    assert step["shell"] == "bash"  # by default, GitHub's bash has no pipefail

    codes = []
    for options, script in (("-c", cron), ("-eo pipefail -c", step["run"])):
        done = subprocess.run(  # noqa: S603
            ["bash", *options.split(), script],  # noqa: S607
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Summary of the run" in done.stdout
        assert "Error: There is no traceback" in done.stdout
        assert "Jane" not in done.stdout + done.stderr
        codes.append(done.returncode)
    assert codes == [0, 3]
    assert (tmp_path / "run.log").stat().st_mode & 0o077 == 0


def test_units_of_systemd_write_files_for_their_user_alone() -> None:
    """The target's files, too."""
    assert "UMask=0077" in (FOLDER / "gorgias.service").read_text("utf-8")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda one: one.stem)
def test_python_files_are_valid(file: Path) -> None:
    """They import packages that are not installed here, so they are compiled only."""
    compile(file.read_text("utf-8"), file, "exec")


def test_every_file_is_explained() -> None:
    """A document leads to each, except for what belongs to another."""
    page = "\n".join(text(one) for one in DOCUMENTS)
    names = {file.name for file in FOLDER.iterdir() if file.is_file()}
    named = {name for name in names if f"../deploy/{name})" in page}
    assert names - named == {"Dockerfile.dockerignore"}
