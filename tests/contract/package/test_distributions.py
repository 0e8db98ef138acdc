"""The wheel, the sdist and the image contain what they should, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
STEM = f"tap_gorgias-{metadata.version('tap-gorgias')}"
PACKAGE_FILES = {
    str(file.relative_to(ROOT))
    for file in (ROOT / "tap_gorgias").rglob("*")
    if file.is_file() and "__pycache__" not in file.parts
}


def build(source: Path, target: str, folder: Path) -> Path:
    """Build a wheel or an sdist without network access."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target]
    command += ["-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)  # noqa: S603
    (built,) = folder.iterdir()
    return built


def wheel_files(source: Path, folder: Path) -> set[str]:
    """Build a wheel and list its files other than metadata."""
    with zipfile.ZipFile(build(source, "wheel", folder)) as wheel:
        return {name for name in wheel.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    archive = build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / STEM


def test_the_wheel_contains_only_the_package(tmp_path: Path) -> None:
    """Users get neither the tests nor the sandbox."""
    assert wheel_files(ROOT, tmp_path) == PACKAGE_FILES


def test_the_sdist_builds_the_same_wheel(sdist: Path, tmp_path: Path) -> None:
    """Users who build from source get the same files."""
    assert wheel_files(sdist, tmp_path) == PACKAGE_FILES


def test_the_sdist_can_be_tested(sdist: Path) -> None:
    """It contains the tests and the files that they read."""
    documents = {file.name for file in ROOT.glob("*.md")}
    assert {"CHANGELOG.md", "CONTRIBUTING.md", "README.md"} <= documents
    files = {*documents, "Dockerfile", "LICENSE", "meltano.yml", "pyproject.toml"}
    folders = (".ci", ".github", "deploy", "docs", "hub", "scripts", "tests")
    for folder in folders:
        found = (ROOT / folder).rglob("*")
        files |= {str(one.relative_to(ROOT)) for one in found if one.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    assert [name for name in sorted(files) if not (sdist / name).is_file()] == []


def test_the_image_contains_all_files_of_the_wheel(tmp_path: Path) -> None:
    """The Dockerfile copies them, and .dockerignore does not exclude them."""
    let_through = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    copied = COPIED.findall((ROOT / "Dockerfile").read_text("utf-8"))
    names = {name for line in copied for name in line.split()}
    assert names == let_through
    context = tmp_path / "context"
    context.mkdir()
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, context / name)
    assert wheel_files(context, tmp_path / "dist") == PACKAGE_FILES
