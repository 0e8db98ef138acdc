"""The text of `--about`, with descriptions of the settings."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from singer_sdk.about import AboutFormatter

from tap_gorgias.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.about import AboutInfo

DETAILED_TEXT = "detailed text"
"""Name of the format, for `Tap.print_about`."""


class DetailedTextFormatter(AboutFormatter, format_name=DETAILED_TEXT):
    """The text of the SDK, with the description and the default of each setting.

    The SDK only prints names and types of settings.
    """

    @override
    def format_about(self, about_info: AboutInfo) -> str:
        return "\n".join(_lines(about_info))


def _lines(info: AboutInfo) -> Iterator[str]:
    yield f"Name: {info.name}"
    yield f"Description: {inspect.cleandoc(info.description or '')}"
    yield ""
    yield f"Version: {info.version}"
    yield f"SDK Version: {info.sdk_version}"
    if info.supported_python_versions:
        yield "Supported Python Versions:"
        yield from (f"  - {version}" for version in info.supported_python_versions)
    yield "Capabilities:"
    yield from (f"  - {capability}" for capability in info.capabilities)
    yield "Settings:"
    for name, schema in info.settings["properties"].items():
        yield from _setting(info.env_var_prefix, name, schema)


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
