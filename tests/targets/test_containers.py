"""The steps of the Dockerfiles, run in a folder in place of a container.

This shows that the commands, paths and variables fit together. It does not build an
image: the base image, the user and the isolation are not tested.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.sandbox import Sandbox, Shop
from tests.support.documents import ROOT
from tests.targets.loading import PostgreSQL, settings_of, target_of
from tests.targets.processes import output_of

ABSOLUTE = re.compile(r"(?<![\w.:/-])/(?=opt|source|data)")
STEP = re.compile(r"^([A-Z]+) (.+)$", re.MULTILINE)
OF_CONTAINERS = re.compile(r"--no-cache-dir|--owner \d+|--group \d+")
"""What has no use or no permission outside a container."""


class Container:
    """A folder in which the steps of a Dockerfile were run."""

    def __init__(self, root: Path, dockerfile: str) -> None:
        self.root, self.work = root, root
        self.variables: dict[str, str] = {}
        self.entrypoint: list[str] = []
        text = (ROOT / dockerfile).read_text("utf-8").replace("\\\n", " ")
        for step, words in STEP.findall(self.inside(text)):
            self.take(step, words)

    def inside(self, text: str) -> str:
        """Move absolute paths into the folder."""
        return ABSOLUTE.sub(f"{self.root}/", text)

    def take(self, step: str, words: str) -> None:
        """Run a step."""
        if step in {"ARG", "ENV"}:
            pairs = re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', words)
            found = {name: quoted or plain for name, quoted, plain in pairs}
            self.variables |= found
        elif step == "WORKDIR":
            self.work = Path(words)
            self.work.mkdir(parents=True)
        elif step == "COPY" and not words.startswith("--from"):
            *names, to = [word for word in words.split() if not word.startswith("--")]
            for name in names:
                copy(ROOT / name, self.work / to)
        elif step == "RUN":
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            output_of(
                ["sh", "-ec", OF_CONTAINERS.sub("", words)],
                cwd=self.work,
                env={
                    **os.environ,
                    **self.variables,
                    "PATH": path,
                    "PIP_NO_COMPILE": "1",
                },
            )
        elif step == "ENTRYPOINT":
            self.entrypoint = json.loads(words)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the entry point with nothing but the variables of the image."""
        return subprocess.run(  # noqa: S603
            [*self.entrypoint, *arguments],
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )


def copy(source: Path, to: Path) -> None:
    """Copy a file or the contents of a folder, as COPY does."""
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, to)


def test_the_image_with_a_target_loads_a_database(tmp_path: Path) -> None:
    """A run prints nothing, and its files are in the volume."""
    container = Container(tmp_path, "deploy/Dockerfile")
    volume = tmp_path / "data"
    with ExitStack() as stack:
        target = target_of("target-postgres", tmp_path, stack)
        assert isinstance(target, PostgreSQL)
        sandbox = stack.enter_context(Sandbox(Shop(tickets=20)))
        (volume / "config.json").write_text(json.dumps(sandbox.config))
        (volume / "target.json").write_text(json.dumps(settings_of(target)))

        done = container.run()

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        rows = target.rows("tickets")["tickets"]
        assert {row["id"] for row in rows} == set(sandbox.shop.tickets.ids())
    assert (volume / "complete.log").exists()
