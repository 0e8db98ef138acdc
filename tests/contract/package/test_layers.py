"""Imports among packages follow the diagram in CONTRIBUTING.md."""

from __future__ import annotations

import re

import pytest

from tests.contract.package.test_package import MODULES, PACKAGE, graph, imports
from tests.support.documents import ROOT, blocks, text

FILE = ROOT / "CONTRIBUTING.md"
BOX = re.compile(r'^ +(\w+)\["\1<br>[^"<]+"\]$', re.MULTILINE)
ARROW = re.compile(r"^ +(\w+) --> (\w+)$", re.MULTILINE)
TOP = "tap"
(DIAGRAM,) = blocks("mermaid", FILE)
BOXES = set(BOX.findall(DIAGRAM))
ARROWS = set(ARROW.findall(DIAGRAM))
WITHOUT_ARROWS = BOXES - {box for arrow in ARROWS for box in arrow}
_SINGLE = {file.stem for file in (ROOT / PACKAGE).glob("*.py")}
LEAVES = _SINGLE - {TOP, "__init__", "__main__"}
"""The modules that all packages may import."""
HTTP = {"requests", "urllib3"}
IMPORT_OF_HTTP = re.compile(rf"^(?:import|from) (?:{'|'.join(HTTP)})", re.MULTILINE)
SDK = {"singer_sdk"}
HOOKED = {"connection_test", "stream_types", "streams"}
"""The SDK's hooks hand requests and responses to these."""
CONFIG_TYPING = "singer_sdk.typing"


def package_of(module: str) -> str:
    """Return the package of a module; other modules are leaves or belong to the top."""
    parts = module.split(".")
    if len(parts) > 1 and (parts[1] in LEAVES or is_package(parts[1])):
        return parts[1]
    return TOP


def is_package(name: str) -> bool:
    """Return whether `tap_gorgias` has a package of this name."""
    return (ROOT / PACKAGE / name / "__init__.py").is_file()


def below(box: str) -> set[str]:
    """Return the packages that are reachable by arrows."""
    following = {target for source, target in ARROWS if source == box}
    return following.union(*map(below, following))


def allowed(box: str) -> set[str]:
    """Return the packages and leaves that a package may import."""
    lower = below(box)
    return {box} | LEAVES | lower | (WITHOUT_ARROWS if lower else set())


def members(box: str) -> list[str]:
    """Return the modules of a package."""
    return [module for module in MODULES if package_of(module) == box]


def test_the_diagram_shows_all_packages() -> None:
    """It shows no others."""
    assert {package_of(module) for module in MODULES} - LEAVES == BOXES


def test_leaves_are_named() -> None:
    """The text says which modules all may import."""
    assert LEAVES
    assert set(re.findall(r"`(\w+)`", text(FILE))) >= LEAVES


@pytest.mark.parametrize("box", sorted(BOXES | LEAVES))
def test_imports_follow_the_arrows(box: str) -> None:
    """A package imports from packages below it, packages without arrows, and leaves."""
    wrong = [
        f"{module} imports {imported}"
        for module in members(box)
        for imported in sorted(graph()[module])
        if package_of(imported) not in allowed(box)
    ]
    assert wrong == []


@pytest.mark.parametrize(("upper", "lower"), sorted(ARROWS))
def test_every_arrow_is_an_import(upper: str, lower: str) -> None:
    """The diagram shows no order that does not exist."""
    assert any(
        package_of(one) == lower for name in members(upper) for one in graph()[name]
    )


@pytest.mark.parametrize(
    ("library", "boxes"),
    [
        (HTTP, BOXES - {"api", *HOOKED}),
        (SDK, {"run", "replication", "records"}),
    ],
    ids=["HTTP", "SDK"],
)
def test_libraries_are_imported_only_where_they_belong(
    library: set[str], boxes: set[str]
) -> None:
    """Other packages can be tested without them."""
    wrong = [
        f"{module} imports {imported}"
        for box in sorted(boxes)
        for module in members(box)
        for imported in imports(MODULES[module])
        if imported.split(".")[0] in library
    ]
    assert wrong == []


def test_streams_do_not_send_requests() -> None:
    """They know HTTP by the types in the SDK's hooks, and import nothing of it."""
    wrong = [
        module
        for box in HOOKED
        for module in members(box)
        if IMPORT_OF_HTTP.search(MODULES[module].read_text("utf-8"))
    ]
    assert wrong == []


def test_private_parts_of_the_sdk_are_imported_in_one_package() -> None:
    """Each of them has its reason there, and a test that fails when it changes."""
    wrong = [
        f"{module} imports {imported}"
        for module, file in MODULES.items()
        if package_of(module) != "sdk"
        for imported in imports(file)
        if imported.split(".")[0] in SDK and "._" in imported
    ]
    assert wrong == []


def test_config_uses_the_sdk_only_to_write_its_schema() -> None:
    """As in other SDK taps, the settings are declared with `singer_sdk.typing`."""
    used = {
        imported
        for module in members("config")
        for imported in imports(MODULES[module])
        if imported.split(".")[0] in SDK
    }
    assert used == {CONFIG_TYPING}
    assert f"`{CONFIG_TYPING}`" in text(FILE)
