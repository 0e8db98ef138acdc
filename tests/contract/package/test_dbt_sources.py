"""The sources of the dbt project and docs/columns.md are those of the schemas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from scripts import dbt_sources
from tap_gorgias.tap import TapGorgias
from tests.support.documents import ROOT, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "generate"),
    [
        (dbt_sources.SOURCES, dbt_sources.sources),
        (dbt_sources.COLUMNS, dbt_sources.page),
    ],
    ids=["sources", "columns"],
)
def test_generated_files_are_up_to_date(
    path: Path, generate: Callable[[], str]
) -> None:
    """`UPDATE_SNAPSHOTS=1` writes them."""
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(generate(), encoding="utf-8")
    assert path.read_text("utf-8") == generate()


def test_every_column_is_described_once() -> None:
    """Nested columns are described too, and keys are tested."""
    [source] = yaml.safe_load(dbt_sources.sources())["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    for name, stream in TapGorgias(validate_config=False).streams.items():
        described = [column["name"] for column in tables[name]["columns"]]
        found = [
            path.replace("[]", "") for path, *_ in dbt_sources.columns(stream.schema)
        ]
        assert described == found
        assert len(found) == len(set(found))
        keys = [c["name"] for c in tables[name]["columns"] if "data_tests" in c]
        if keys != list(stream.primary_keys):
            [test] = tables[name]["data_tests"]
            [arguments] = (test["gorgias_unique_together"]["arguments"],)
            assert arguments["columns"] == list(stream.primary_keys)


def test_every_model_is_explained() -> None:
    """Each file of the project is described, and a document names each model."""
    models = ROOT / "dbt" / "models"
    described = {
        model["name"]
        for file in models.rglob("*.yml")
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", ())
    }
    assert described == {file.stem for file in models.rglob("*.sql")}
    assert all(f"`{file.stem}`" in text() for file in models.glob("marts/*.sql"))
