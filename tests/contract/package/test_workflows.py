"""Workflows on GitHub are pinned and restricted, and the gate includes every job."""

from __future__ import annotations

import re
from importlib import metadata
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tests.support.documents import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
NAMES = ("ci", "release")
PINNED = re.compile(r"uses: ([\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
OWN = "uses: $/.github/workflows/"


def text_of(name: str) -> str:
    """Return the text of a workflow."""
    return (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")


def workflow(name: str) -> dict[str, Any]:
    """Return a parsed workflow."""
    content: dict[str, Any] = yaml.safe_load(text_of(name))
    return content


def test_every_workflow_is_checked() -> None:
    """The tests below know each workflow."""
    assert {file.stem for file in WORKFLOWS.iterdir()} == set(NAMES)


def test_actions_are_pinned_once_with_a_version_comment() -> None:
    """A tag can be moved, and a bare hash does not show its age."""
    pins = set()
    for line in "".join(text_of(name) for name in NAMES).splitlines():
        if "uses: " in line and OWN not in line:
            found = PINNED.search(line)
            assert found, line
            pins.add(found.groups())
    assert len(pins) == len({action for action, *_ in pins})


@pytest.mark.parametrize("name", NAMES)
def test_a_job_has_only_the_permissions_that_it_declares(name: str) -> None:
    """No permission is granted to all jobs, and no stored secret is used."""
    assert workflow(name)["permissions"] == {}
    for job in workflow(name)["jobs"].values():
        assert "permissions" in job
        assert "timeout-minutes" in job or "uses" in job
    assert "secrets." not in text_of(name)


def test_the_gate_waits_for_every_job() -> None:
    """Branch protection depends on the gate alone."""
    jobs = workflow("ci")["jobs"]
    assert set(jobs["gate"]["needs"]) == set(jobs) - {"gate"}
    assert jobs["gate"]["if"] == "always()"


def test_every_supported_python_is_tested() -> None:
    """Each runs with the newest and with the lowest dependencies."""
    prefix = "Programming Language :: Python :: "
    found = metadata.metadata("tap-gorgias").get_all("Classifier") or []
    listed = [one.removeprefix(prefix) for one in found if one.startswith(prefix)]
    matrix = workflow("ci")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == [one for one in listed if re.fullmatch(r"3\.\d+", one)]
    assert set(matrix["dependencies"]) == {"newest", "lowest"}


def test_only_what_passed_and_was_attested_is_published() -> None:
    """Each job of a release waits for the previous one."""
    jobs = workflow("release")["jobs"]
    order = ["checks", "describe", "attest", "publish", "announce"]
    assert list(jobs) == order
    assert [jobs[name]["needs"] for name in order[1:]] == order[:-1]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
