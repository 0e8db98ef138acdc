"""Checks of the settings that the SDK adds.

The SDK's JSON schema accepts settings with which a run fails, or writes files that are
not as announced. `BatchConfig` is in a private module of the SDK.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fsspec import get_filesystem_class  # type: ignore[import-untyped]  # no types
from fsspec.core import split_protocol  # type: ignore[import-untyped]
from singer_sdk.helpers._batch import BatchConfig

from tap_gorgias.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def builtin_setting_problems(config: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each problem of `batch_config` and of flattening."""
    problems = []
    if config.get("flattening_enabled") and config.get("flattening_max_depth", -1) < 0:
        problems.append(
            "Setting `flattening_enabled` needs `flattening_max_depth`, for example 1."
        )
    if batch_config := config.get("batch_config"):
        problems.extend(
            f"Setting `batch_config` {problem}" for problem in _batch(batch_config)
        )
    return problems


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


def _batch(batch_config: Any) -> Iterator[str]:  # noqa: ANN401
    try:
        yield from _objections_to(BatchConfig.from_dict(batch_config))
    except (AttributeError, KeyError, TypeError, ValueError):
        yield "must contain `encoding` with `format`, and `storage` with `root`."


def _objections_to(batch_config: BatchConfig) -> Iterator[str]:
    encoding = batch_config.encoding
    if encoding.compression != "gzip":
        yield 'needs the `compression` "gzip": the SDK writes no other one.'
    if encoding.format == "parquet" and not find_spec("pyarrow"):
        yield "needs the Python package `pyarrow` to write files in the format parquet."
    size: Any = batch_config.batch_size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        yield "needs a `batch_size` of at least 1."
    protocol, _ = split_protocol(batch_config.storage.root)
    try:
        get_filesystem_class(protocol or "file")
    except ImportError as error:
        yield f"cannot be used to write to `{protocol}://`: {error}."
    except ValueError:
        yield f"has a `root` of an unknown kind: `{protocol}://`."
