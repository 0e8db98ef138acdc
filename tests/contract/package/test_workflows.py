"""What runs on GitHub is pinned, bounded, and cannot pass by being left out."""

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
    """Return a workflow as it is written."""
    return (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow, parsed."""
    content: dict[str, Any] = yaml.safe_load(text_of(name))
    return content


def test_no_workflow_goes_unchecked() -> None:
    """The tests below know each of them."""
    assert {file.stem for file in WORKFLOWS.iterdir()} == set(NAMES)


def test_actions_are_pinned_once_and_their_version_is_told() -> None:
    """A tag can be moved, and a bare hash tells nobody how old it is."""
    pins = set()
    for line in "".join(text_of(name) for name in NAMES).splitlines():
        if "uses: " in line and OWN not in line:
            found = PINNED.search(line)
            assert found, line
            pins.add(found.groups())
    assert len(pins) == len({action for action, *_ in pins})


@pytest.mark.parametrize("name", NAMES)
def test_a_job_may_do_what_it_says_and_no_more(name: str) -> None:
    """Nothing is granted to all jobs, and no stored secret is used."""
    assert workflow(name)["permissions"] == {}
    for job in workflow(name)["jobs"].values():
        assert "permissions" in job
        assert "timeout-minutes" in job or "uses" in job
    assert "secrets." not in text_of(name)


def test_the_gate_waits_for_every_job() -> None:
    """A branch is protected by the gate alone, so no job may be missing there."""
    jobs = workflow("ci")["jobs"]
    assert set(jobs["gate"]["needs"]) == set(jobs) - {"gate"}
    assert jobs["gate"]["if"] == "always()"


def test_every_supported_python_is_tested() -> None:
    """Each with the newest and with the lowest dependencies."""
    prefix = "Programming Language :: Python :: "
    found = metadata.metadata("tap-gorgias").get_all("Classifier") or []
    listed = [one.removeprefix(prefix) for one in found if one.startswith(prefix)]
    matrix = workflow("ci")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == [one for one in listed if re.fullmatch(r"3\.\d+", one)]
    assert set(matrix["dependencies"]) == {"newest", "lowest"}


def test_only_what_passed_and_was_attested_is_published() -> None:
    """Each job of a release waits for the one before it."""
    jobs = workflow("release")["jobs"]
    order = ["checks", "describe", "attest", "publish", "announce"]
    assert list(jobs) == order
    assert [jobs[name]["needs"] for name in order[1:]] == order[:-1]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
