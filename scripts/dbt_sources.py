"""Write the sources of dbt and docs/columns.md: `python -m scripts.dbt_sources`.

Both describe the tables that the tap loads, from its schemas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.compat import override
from tap_gorgias.config.statistics import PRESETS
from tap_gorgias.tap import TapGorgias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "dbt" / "models" / "sources.yml"
COLUMNS = ROOT / "docs" / "columns.md"
HEADER = "Written by `python -m scripts.dbt_sources` from tap_gorgias/schemas."
READ_IN_EVERY_RUN = {"account", "account_settings", "tags", "teams", "users"}
"""Snapshots that are never empty: their newest rows have the time of the last run."""
STALE = {"period": "hour"}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # it has no types
    """Writes equal values each time instead of references."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Return whether a value is always written in full."""
        return True


def columns(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Yield path, type and description of each property, parents first."""
    for name, node in schema.get("properties", {}).items():
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        (kind,) = set(kinds) - {"null"}
        path = f"{prefix}{name}"
        kind = "timestamp" if node.get("format") == "date-time" else kind
        yield path, kind, node["description"]
        yield from columns(node, f"{path}.")
        yield from columns(node.get("items", {}), f"{path}[].")


def _description(stream: Stream) -> str:
    """Describe a row of a stream."""
    name = stream.name.removeprefix("statistics_")
    statistics = f"One row is a day and its figures of the statistics preset `{name}`."
    return str(stream.schema.get("description", statistics))


def _table(stream: Stream) -> dict[str, Any]:
    """Describe a stream as a table of a source."""
    keys = list(stream.primary_keys)
    loaded = (
        f"'{stream.name}' not in var('gorgias_streams_not_loaded', [])"
        if stream.selected_by_default
        else f"'{stream.name}' in var('gorgias_optional_streams', [])"
    )
    if stream.name.startswith("statistics_"):
        preset = stream.name.removeprefix("statistics_")
        loaded = f"'{preset}' in var('gorgias_statistics', [])"
    config: dict[str, Any] = {"enabled": "{{ " + loaded + " }}"}
    if stream.name in READ_IN_EVERY_RUN:
        config["loaded_at_field"] = (
            "{{ var('gorgias_loaded_at', '_sdc_extracted_at') }}"
        )
        config["freshness"] = {
            "warn_after": {"count": 3, **STALE},
            "error_after": {"count": 24, **STALE},
        }
    described = []
    for name, kind, description in columns(stream.schema):
        column: dict[str, Any] = {"name": name.replace("[]", "")}
        column |= {"description": f"{description} ({kind})"}
        if keys == [name]:
            enabled = {"config": {"enabled": config["enabled"]}}
            column["data_tests"] = [{"gorgias_key": enabled}]
        described.append(column)
    table = {
        "name": stream.name,
        "description": _description(stream),
        "config": config,
        "columns": described,
    }
    if len(keys) > 1:
        test = {
            "arguments": {"columns": keys},
            "config": {"enabled": config["enabled"]},
        }
        table["data_tests"] = [{"gorgias_unique_together": test}]
    return table


def streams() -> list[Stream]:
    """Return all streams, and those of the presets of statistics, by name."""
    config = {"statistics": sorted(PRESETS)}
    tap = TapGorgias(config=config, validate_config=False)
    return [stream for _, stream in sorted(tap.streams.items())]


def sources() -> str:
    """Return the sources in YAML."""
    source = {
        "name": "gorgias",
        "description": "The tables that tap-gorgias loads.",
        "database": "{{ var('gorgias_database', none) or target.database }}",
        "schema": (
            "{{ var('gorgias_schema', none) or env_var('GORGIAS_SCHEMA', 'gorgias') }}"
        ),
        "tables": [_table(stream) for stream in streams()],
    }
    content = {"version": 2, "sources": [source]}
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True
    )
    return f"# {HEADER}\n{text}"


def page() -> str:
    """Return docs/columns.md."""
    found = streams()
    lines = [
        f"<!-- {HEADER} -->",
        "# Tables and columns",
        "",
        "Each stream becomes a table of the same name. `a.b` is the value `b` in the",
        "object `a`, and `a[].b` that of each item of the list `a`.",
        "[data.md](data.md#how-tables-relate) shows how the tables relate.",
        "",
    ]
    lines += [f"- [{one.name}](#{one.name})" for one in found]
    for stream in found:
        keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
        lines += ["", f"## {stream.name}", "", _description(stream)]
        lines += [f"Key: {keys}.", "", "| column | type | contents |"]
        lines += ["| --- | --- | --- |"]
        lines += [
            f"| `{name}` | {kind} | {text.replace('|', chr(92) + '|')} |"
            for name, kind, text in columns(stream.schema)
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    SOURCES.write_text(sources(), encoding="utf-8")
    COLUMNS.write_text(page(), encoding="utf-8")
