"""The installed package: its data, its modules and their order."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PACKAGE = "tap_gorgias"
SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))
ALL_SOURCES = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
MOST_LINES = 430

BARE_IMPORT = """
import logging, socket

def refuse(*args, **kwargs):
    raise RuntimeError("network")

socket.socket.connect = socket.getaddrinfo = refuse
import tap_gorgias.tap
assert not logging.getLogger().handlers, logging.getLogger().handlers
assert not logging.getLogger("tap_gorgias").handlers
assert not logging.getLogger("tap-gorgias").handlers
"""


def python(*args: str) -> subprocess.CompletedProcess[str]:
    """Run a new interpreter."""
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, *args], capture_output=True, check=False, text=True, timeout=60
    )


def module_name(file: Path) -> str:
    """Return the name of the module in a file."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in SOURCES}


def imports(file: Path) -> Iterator[str]:
    """Yield the names that a module imports, including those for type checking."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def graph() -> dict[str, set[str]]:
    """Return the imports among the modules of the package."""
    found: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        targets = set()
        for imported in imports(file):
            if imported in MODULES:
                targets.add(imported)
            elif (parent := imported.rpartition(".")[0]) in MODULES:
                targets.add(parent)
        found[name] = targets - {name}
    return found


def test_importing_has_no_side_effects() -> None:
    """No connection is opened, and no logging is configured."""
    run = python("-W", "error", "-c", BARE_IMPORT)
    assert run.returncode == 0, run.stderr


def test_importing_the_package_alone_imports_nothing() -> None:
    """Access to a resource does not load the SDK."""
    code = "import sys, tap_gorgias; assert 'singer_sdk' not in sys.modules"
    assert python("-c", code).returncode == 0


def test_the_module_can_be_run() -> None:
    """This works where no script is installed."""
    run = python("-m", PACKAGE, "--version")
    assert run.returncode == 0
    assert metadata.version("tap-gorgias") in run.stdout


def test_the_installed_version_is_that_of_the_project_file() -> None:
    """The version is defined in one place."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (version,) = re.findall(r'^version = "(.+)"$', project, re.MULTILINE)
    assert metadata.version("tap-gorgias") == version


def test_every_supported_python_is_listed() -> None:
    """No unsupported version is listed."""
    found = metadata.metadata("tap-gorgias").get_all("Classifier") or []
    prefix = "Programming Language :: Python :: 3."
    listed = {one.removeprefix(prefix) for one in found if one.startswith(prefix)}
    assert listed == {"10", "11", "12", "13", "14"}
    assert metadata.metadata("tap-gorgias")["Requires-Python"] == ">=3.10"


def test_types_are_shipped() -> None:
    """Type checkers look for the file `py.typed`."""
    assert (resources.files(PACKAGE) / "py.typed").is_file()


def test_the_command_is_declared() -> None:
    """Orchestrators start it by its name."""
    (script,) = metadata.entry_points(group="console_scripts", name="tap-gorgias")
    assert callable(script.load())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_package_does_not_import_its_tests(name: str) -> None:
    """They are not part of the wheel."""
    assert not [one for one in imports(MODULES[name]) if one.startswith("tests")]


def test_modules_have_no_import_cycles() -> None:
    """Each module can be understood after those that it imports."""
    order = list(graphlib.TopologicalSorter(graph()).static_order())
    assert set(order) == set(MODULES)
    assert order.index(f"{PACKAGE}.timestamps") < order.index(f"{PACKAGE}.tap")


@pytest.mark.parametrize(
    "file", ALL_SOURCES, ids=lambda file: str(file.relative_to(ROOT))
)
def test_no_file_is_too_long(file: Path) -> None:
    """A file can be read in one go."""
    assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES


def test_the_checks_run_tests_that_exist() -> None:
    """`.ci/run` names some of them for the lowest versions."""
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    named = re.findall(r"tests/[\w/]+\.(?:py|txt)", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
