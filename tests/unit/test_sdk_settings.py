"""Settings that the SDK adds are checked before a run, in one line each."""

from __future__ import annotations

from typing import Any

import pytest

from tap_gorgias.errors import CatalogError, SettingsError, messages_of
from tap_gorgias.tap import TapGorgias
from tests.support.memory import CONFIG

GZIP = {"format": "jsonl", "compression": "gzip"}
HERE = {"root": "file:///tmp/batches"}


def lines_for(**settings: Any) -> list[str]:
    """Return the lines with which settings are refused; none if they are accepted."""
    try:
        TapGorgias(config={**CONFIG, **settings})
    except SettingsError as error:
        return [*messages_of(error)]
    return []


def batches(**changes: Any) -> dict[str, Any]:
    """Return a valid `batch_config` with some changes."""
    return {"encoding": GZIP, "storage": HERE, **changes}


@pytest.mark.parametrize("size", [1, 10_000, None])
def test_a_batch_size_of_at_least_one_is_accepted(size: int | None) -> None:
    """None is the default of the SDK."""
    assert lines_for(batch_config=batches(batch_size=size)) == []


@pytest.mark.parametrize("size", [0, -5, "many", 1.5, True])
def test_a_batch_size_below_one_is_refused(size: object) -> None:
    """With 0, the SDK reads nothing at all, and the run ends with exit code 0."""
    (line,) = lines_for(batch_config=batches(batch_size=size))
    assert "`batch_config`" in line
    assert "`batch_size`" in line


@pytest.mark.parametrize(
    ("root", "package"),
    [
        ("s3://bucket/rows", "s3fs"),
        ("gs://bucket", "gcsfs"),
        ("abfs://container", "adlfs"),
    ],
)
def test_a_bucket_without_its_package_is_refused(root: str, package: str) -> None:
    """The line names the package."""
    (line,) = lines_for(batch_config=batches(storage={"root": root}))
    assert "`batch_config`" in line
    assert package in line


def test_files_of_a_format_without_its_package_are_refused() -> None:
    """The line names the package."""
    encoding = {"format": "parquet", "compression": "gzip"}
    (line,) = lines_for(batch_config=batches(encoding=encoding))
    assert "`batch_config`" in line
    assert "`pyarrow`" in line


def test_an_unknown_kind_of_storage_is_refused() -> None:
    """A typo is found before the first request."""
    (line,) = lines_for(batch_config=batches(storage={"root": "s4://bucket"}))
    assert "`s4://`" in line


@pytest.mark.parametrize("root", ["file:///tmp/batches", "/tmp/batches", "batches"])  # noqa: S108
def test_folders_need_no_package(root: str) -> None:
    """They may be URLs or paths."""
    assert lines_for(batch_config=batches(storage={"root": root})) == []


@pytest.mark.parametrize(
    "encoding", [{**GZIP, "compression": "none"}, {"format": "jsonl"}]
)
def test_a_compression_that_the_sdk_does_not_write_is_refused(
    encoding: dict[str, str],
) -> None:
    """It compresses each file, whatever the BATCH message says."""
    (line,) = lines_for(batch_config=batches(encoding=encoding))
    assert "`batch_config`" in line
    assert "`compression`" in line


@pytest.mark.parametrize("depth", [{}, {"flattening_max_depth": -1}])
def test_flattening_without_a_depth_is_refused(depth: dict[str, int]) -> None:
    """The line names both settings."""
    (line,) = lines_for(flattening_enabled=True, **depth)
    assert "`flattening_enabled`" in line
    assert "`flattening_max_depth`" in line


@pytest.mark.parametrize("length", [1, 15])
def test_a_key_length_that_makes_columns_ambiguous_is_refused(length: int) -> None:
    """The line names the setting, and a column."""
    (line,) = lines_for(
        flattening_enabled=True,
        flattening_max_depth=1,
        flattening_max_key_length=length,
    )
    assert "`flattening_max_key_length`" in line


def test_common_flattening_settings_are_accepted() -> None:
    """A limit of 63 is that of PostgreSQL."""
    assert (
        lines_for(
            flattening_enabled=True,
            flattening_max_depth=3,
            flattening_max_key_length=63,
        )
        == []
    )


@pytest.mark.parametrize("key", ["stream", "stream_alias"])
def test_an_alias_in_the_catalog_is_refused(key: str) -> None:
    """The line says which setting renames a stream."""
    catalog = TapGorgias(config=dict(CONFIG)).catalog_dict
    catalog["streams"][3][key] = "renamed"
    with pytest.raises(CatalogError, match=r"`stream_maps`"):
        TapGorgias(config=dict(CONFIG), catalog=catalog)
