"""Settings as the SDK reads and adds them, checked before it fails or prints them.

The SDK prints invalid settings, including credentials, and does not name the variable
that it cannot parse. Its schema accepts settings with which a run fails, or writes
files that are not as announced. This needs the private method `Tap._validate_config`,
the private function `parse_environment_config` and the private class `BatchConfig`.
"""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fsspec import get_filesystem_class  # type: ignore[import-untyped]  # no types
from fsspec.core import split_protocol  # type: ignore[import-untyped]
from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._batch import BatchConfig

from tap_gorgias.compat import override
from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import click

    from tap_gorgias.sdk.command import ConfigInput

_FILE_NAME = re.compile(r"[\w ./~\\:-]+\.json")


class SelfValidatingTap(Tap, ABC):
    """A tap that validates its own settings."""

    @abstractmethod
    def validate_settings(
        self, config: dict[str, Any], *, raise_errors: bool
    ) -> list[str]:
        """Validate the settings that are not null, add defaults, and return problems.

        Raises `SettingsError` if there are problems, and `raise_errors` is set.
        """

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self._config = {
            name: value for name, value in self._config.items() if value is not None
        }
        return self.validate_settings(self._config, raise_errors=raise_errors)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        # The SDK supports this setting, but only declares it since 0.55.
        config_jsonschema["properties"].setdefault(
            "emit_activate_version_messages",
            {
                "type": ["boolean", "null"],
                "title": "Emit ACTIVATE_VERSION messages",
                "description": "Whether full-table streams tell the target to drop the "
                "rows of earlier runs.",
            },
        )

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        with _report_unreadable(value):
            parsed = super().cb_config(ctx, param, value)
        if parsed.parse_env:
            cls.append_builtin_config(cls.config_jsonschema)
            prefix = cls.name.upper().replace("-", "_") + "_"
            _check_environment(cls.config_jsonschema["properties"], prefix)
        return parsed


@contextlib.contextmanager
def _report_unreadable(arguments: Sequence[str]) -> Iterator[None]:
    """Raise a `SettingsError` if a config cannot be read.

    It shows only arguments that look like file names, because an argument may be the
    config itself.
    """
    names = [name for name in map(str, arguments) if _FILE_NAME.fullmatch(name)]
    file = ", ".join(f"`{name}`" for name in names) or "file"
    try:
        yield
    except OSError as error:
        reason = error.strerror or "there is no such file"
        problem = f"The config {file} cannot be read: {reason}."
        raise SettingsError([problem]) from None
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"The config {file} is not a JSON object."
        if line := getattr(error, "lineno", None):  # of simplejson, which the SDK uses
            column = getattr(error, "colno", 1)
            problem = (
                f"The config {file} is not valid JSON: see line {line}, "
                f"column {column}."
            )
        raise SettingsError([problem]) from None


def _check_environment(properties: Mapping[str, Any], prefix: str) -> None:
    """Raise a `SettingsError` that names each variable that cannot be parsed."""
    problems = []
    for name, schema in properties.items():
        try:
            parse_environment_config({"properties": {name: schema}}, prefix)
        except (ValueError, RecursionError):  # noqa: PERF203 (a few settings)
            kinds = schema["type"]
            kind = kinds if isinstance(kinds, str) else kinds[0]
            problems.append(
                f"Setting `{name}`: the environment variable `{prefix}{name.upper()}` "
                f"is not a valid {kind}."
            )
    if problems:
        raise SettingsError(problems)


def problems_of_sdk_settings(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each problem of `batch_config` and of flattening."""
    if config.get("flattening_enabled") and config.get("flattening_max_depth", -1) < 0:
        yield (
            "Setting `flattening_enabled` needs `flattening_max_depth`, for example 1."
        )
    if batch_config := config.get("batch_config"):
        for problem in _problems_of_batches(batch_config):
            yield f"Setting `batch_config` {problem}"


@contextlib.contextmanager
def report_ambiguous_columns(config: Mapping[str, Any]) -> Iterator[None]:
    """Raise `SettingsError` if flattening gives two columns the same name."""
    try:
        yield
    except ValueError as error:
        if not config.get("flattening_enabled"):
            raise
        problem = (
            "Setting `flattening_max_key_length` or `flattening_separator` gives two "
            f"columns of a stream the same name ({error})."
        )
        raise SettingsError([problem]) from None


def _problems_of_batches(value: Any) -> Iterator[str]:  # noqa: ANN401
    try:
        batches = BatchConfig.from_dict(value)
        protocol, _ = split_protocol(batches.storage.root)
        size: Any = batches.batch_size
        if batches.encoding.compression != "gzip":
            yield 'needs the `compression` "gzip": the SDK writes no other one.'
        if batches.encoding.format == "parquet" and not find_spec("pyarrow"):
            yield "needs the Python package `pyarrow` for files in the format parquet."
    except (AttributeError, KeyError, TypeError, ValueError):
        yield "must contain `encoding` with `format`, and `storage` with `root`."
        return
    if type(size) is not int or size < 1:
        yield "needs a `batch_size` of at least 1."
    try:
        get_filesystem_class(protocol or "file")
    except ImportError as error:
        yield f"cannot be used to write to `{protocol}://`: {error}."
    except ValueError:
        yield f"has a `root` of an unknown kind: `{protocol}://`."
