"""`--about` as text, with what each setting means."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from singer_sdk.about import AboutFormatter, TextFormatter

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.about import AboutInfo


class DescribedTextFormatter(AboutFormatter, format_name="described text"):
    """The SDK's text, whose list of settings names no more than their types."""

    @override
    def format_about(self, about_info: AboutInfo) -> str:
        head, _, _ = TextFormatter().format_about(about_info).partition("\nSettings:\n")
        properties = about_info.settings["properties"]
        settings = [
            line
            for name, schema in properties.items()
            for line in _setting(about_info.env_var_prefix, name, schema)
        ]
        # A description of several lines defeats the SDK's own dedent.
        lines = [line.removeprefix(" " * 8) for line in head.splitlines()]
        return "\n".join([*lines, "Settings:", *settings])


def _setting(prefix: str, name: str, schema: dict[str, Any]) -> Iterator[str]:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    kind = " or ".join(kind for kind in kinds if kind != "null")
    secret = ", secret" if schema.get("secret") else ""
    yield f"  - {name} ({kind}{secret})"
    if "default" in schema:
        yield f"    Default: {schema['default']}"
    yield f"    Environment variable: {prefix}{name.upper()}"
    yield from textwrap.wrap(
        " ".join(schema.get("description", "").split()),
        width=88,
        initial_indent="    ",
        subsequent_indent="    ",
    )
