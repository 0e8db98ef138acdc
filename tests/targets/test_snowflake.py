"""Behaviour that is particular to target-snowflake: its column types."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tap_gorgias.tap import TapGorgias
from tests.sandbox import Sandbox, Shop
from tests.targets.loading import load, target_of
from tests.targets.snowflake import Snowflake

if TYPE_CHECKING:
    from pathlib import Path


def test_columns_have_the_types_that_the_page_names(tmp_path: Path) -> None:
    """Date-times have no time zone, objects and lists are VARIANT, a key is short.

    Databases that cannot make a key of an unlimited text can make one of this.
    """
    with ExitStack() as stack:
        target = target_of("target-snowflake", tmp_path, stack)
        assert isinstance(target, Snowflake)
        sandbox = stack.enter_context(Sandbox(Shop(tickets=10)))
        load(target, sandbox.config, tmp_path, streams=["account", "tickets"])

        column_types = target.column_types()
        lengths = target.text_lengths("account")

    schema = TapGorgias(validate_config=False).streams["tickets"].schema["properties"]
    timestamps = {name for name, one in schema.items() if one.get("format")}
    found = {
        name.lower(): kind
        for (table, name), kind in column_types.items()
        if table == "TICKETS"
    }
    assert len(timestamps) > 5
    assert {found[name] for name in timestamps} == {"TIMESTAMP_NTZ"}
    for name in ("customer", "custom_fields", "tags"):
        assert found[name] == "VARIANT"
    assert lengths["domain"] == 255
