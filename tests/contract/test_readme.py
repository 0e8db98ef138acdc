"""README.md and meltano.yml say what the code does."""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias import timestamps
from tap_gorgias.config_schema import CONFIG_SCHEMA
from tap_gorgias.positions import Position, bookmark_from, walk_from
from tap_gorgias.settings import Settings
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tap_gorgias.ways import FeedStream, LogStream

if TYPE_CHECKING:
    from tap_gorgias.stream import GorgiasStream

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BEGIN = (
    "<!-- settings: written by UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/contract -->"
)
END = "<!-- end of settings -->"
TEST_COMMAND = re.compile(r"^python3 -m venv .* && \.venv/bin/pytest$", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def own_settings() -> dict[str, dict[str, Any]]:
    """Return the schemas of the settings that are not the SDK's."""
    of_sdk: dict[str, Any] = {"properties": {}}
    TapGorgias.append_builtin_config(of_sdk)
    return {
        name: schema
        for name, schema in CONFIG_SCHEMA["properties"].items()
        if name not in of_sdk["properties"]
    }


def blocks(language: str) -> list[str]:
    """Return the README's examples in a language."""
    found = FENCE.findall(README.read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def kind_of(schema: dict[str, Any]) -> str:
    """Return the one type of a setting, as Meltano calls it."""
    if schema.get("format") == "date-time":
        return "date_iso8601"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (kind,) = (one for one in types if one != "null")
    return str(kind)


def settings_table() -> str:
    """Write the table of settings as it should be."""
    lines = [
        "| setting | type | required | default | what it means |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, schema in own_settings().items():
        kind = {"date_iso8601": "date-time"}.get(kind_of(schema), kind_of(schema))
        secret = ", secret" if schema.get("secret") else ""
        required = "yes" if name in CONFIG_SCHEMA["required"] else "no"
        default = f"`{schema['default']}`" if "default" in schema else "-"
        cells = (f"`{name}`", kind + secret, required, default, schema["description"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def way_of(stream: type[GorgiasStream]) -> str:
    """Name the way in which a stream is read."""
    if issubclass(stream, FeedStream):
        return "feed"
    return "log" if issubclass(stream, LogStream) else "snapshot"


def meltano() -> dict[str, Any]:
    """Return the extractor of meltano.yml."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    extractor: dict[str, Any] = project["plugins"]["extractors"][0]
    return extractor


def test_settings_table_is_that_of_the_code() -> None:
    """Names, types, defaults and meanings are those that the tap checks."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    wanted = f"\n{settings_table()}\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        whole = f"{before}{BEGIN}{wanted}{END}{after}"
        README.write_text(whole, encoding="utf-8")
    else:
        assert table == wanted


def test_streams_table_is_that_of_the_code() -> None:
    """Each stream has a row, in the order of the code, and there are no others."""
    _, _, section = README.read_text(encoding="utf-8").partition("\n## Streams\n")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.partition("\n## ")[0].splitlines()
        if line.startswith("| `")
    ]
    assert [row[:6] for row in rows] == [
        [
            f"`{stream.name}`",
            f"`{stream.path}`",
            ", ".join(f"`{key}`" for key in stream.primary_keys),
            way_of(stream),
            f"`{stream.replication_key}`" if stream.replication_key else "-",
            "yes" if stream.selected_by_default else "no",
        ]
        for stream in STREAMS
    ]
    assert all(len(row) == 8 and all(row) for row in rows)


def test_look_backs_in_the_streams_table_are_settings() -> None:
    """A setting that the README names in backquotes exists."""
    named = re.findall(r"`(\w+_(?:days|percent|seconds))`", README.read_text("utf-8"))
    assert set(named) <= own_settings().keys()


def test_test_command_is_the_one_that_ci_runs() -> None:
    """Whoever follows the README runs what is known to pass."""
    commands = [m for text in blocks("shell") for m in TEST_COMMAND.findall(text)]
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_shell_examples_name_files_that_exist() -> None:
    """A script of this repository that the README runs is there."""
    scripts = re.findall(r"python3 (tests/\S+\.py)", "\n".join(blocks("shell")))
    assert scripts
    assert [name for name in scripts if not (ROOT / name).is_file()] == []


def test_embedded_python_of_the_shell_examples_is_valid() -> None:
    """The script that selects streams can be pasted."""
    scripts = re.findall(
        r"<<'END'\n(.*?)^END$", "".join(blocks("shell")), re.MULTILINE | re.DOTALL
    )
    assert scripts
    for script in scripts:
        ast.parse(script)


def test_config_example_is_accepted() -> None:
    """The first JSON example is a config that the tap takes."""
    config = json.loads(blocks("json")[0])
    tap = TapGorgias(config=config)
    assert isinstance(tap.settings, Settings)
    assert tap.settings.start_date is not None


@pytest.mark.parametrize("text", blocks("json"))
def test_json_examples_parse(text: str) -> None:
    """Each JSON example is an object."""
    assert isinstance(json.loads(text), dict)


def test_state_example_is_what_the_tap_reads_and_writes() -> None:
    """The STATE example is taken as it stands, and would be written again as it is."""
    (state,) = [one for one in map(json.loads, blocks("json")) if "bookmarks" in one]
    streams = {stream.name: stream for stream in STREAMS}
    for name, entry in state["bookmarks"].items():
        key = streams[name].replication_key
        assert key is not None
        assert key == entry["replication_key"]
        position = Position(bookmark_from(entry, name), walk_from(entry, None))
        assert position.to_state(key) == entry
    walk = walk_from(state["bookmarks"]["tickets"], None)
    assert walk is not None
    assert walk.floor is not None
    assert walk.newest is not None
    assert timestamps.parse(walk.floor) < timestamps.parse(walk.newest)


def test_meltano_settings_are_those_of_the_tap() -> None:
    """Names, labels, kinds, defaults, meanings and sensitive marks agree."""
    assert meltano()["settings"] == [
        {
            "name": name,
            "label": schema["title"],
            "kind": kind_of(schema),
            **({"sensitive": True} if schema.get("secret") else {}),
            **({"value": schema["default"]} if "default" in schema else {}),
            "description": schema["description"],
        }
        for name, schema in own_settings().items()
    ]
    assert meltano()["settings_group_validation"] == [["subdomain", "email", "api_key"]]


def test_meltano_extractor_does_what_the_tap_can() -> None:
    """Capabilities are the tap's own, and so is what is selected by default."""
    capabilities = {capability.value for capability in TapGorgias.capabilities}
    assert set(meltano()["capabilities"]) == capabilities
    off = [f"!{stream.name}.*" for stream in STREAMS if not stream.selected_by_default]
    assert meltano()["select"] == ["*.*", *off]
