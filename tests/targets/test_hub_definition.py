"""The tap can be installed from its Hub definition as docs/meltano.md describes.

Needs Meltano, in `.targets/meltano` or at the path in TAP_GORGIAS_MELTANO.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT, block
from tests.support.runs import Output
from tests.targets.environments import USE_PIP

pytestmark = pytest.mark.targets

INSTALLED = ROOT / ".targets" / "meltano" / "bin" / "meltano"
MELTANO = Path(os.environ.get("TAP_GORGIAS_MELTANO", INSTALLED))
CHECKOUT = "/path/to/tap-gorgias"


def shell(command: str, project: Path, **settings: str) -> str:
    """Run commands in a Meltano project with Meltano on the path."""
    path = os.pathsep.join([str(MELTANO.parent), os.environ["PATH"]])
    run = subprocess.run(  # noqa: S603 (commands of the page)
        ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 (the reader's bash)
        cwd=project,
        env={**os.environ, "PATH": path, **USE_PIP, **settings},
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    return run.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project in which the commands of the page were run."""
    folder = tmp_path_factory.mktemp("meltano")
    shell("meltano init --no-usage-stats project", folder)
    commands = block("--from-ref")
    shell(commands.replace(CHECKOUT, str(ROOT)), folder / "project")
    return folder / "project"


def test_the_project_has_the_settings_of_the_definition(project: Path) -> None:
    """They come from the definition in this repository, not from the Hub."""
    plugins = yaml.safe_load((project / "meltano.yml").read_text("utf-8"))["plugins"]
    (extractor,) = plugins.pop("extractors")
    assert plugins == {}
    definition = yaml.safe_load((ROOT / "hub" / "tap-gorgias.yml").read_text("utf-8"))
    for key in ("capabilities", "select", "settings", "settings_group_validation"):
        assert extractor[key] == definition[key]


def test_the_installed_tap_reads_rows(project: Path) -> None:
    """Meltano passes the settings to the tap."""
    with Sandbox(Shop(tickets=3)) as sandbox:
        settings = {
            f"TAP_GORGIAS_{name.upper()}": value
            for name, value in sandbox.config.items()
        }
        settings["TAP_GORGIAS__SELECT"] = json.dumps(["tags.*"])
        printed = shell("meltano invoke tap-gorgias", project, **settings)
        tags = Output.parse(printed).ids("tags")
        assert set(tags) == set(sandbox.shop.tags.ids())
