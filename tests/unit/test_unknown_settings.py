"""Settings of other taps are refused with the name that this tap uses."""

from __future__ import annotations

import re

import pytest

from tap_gorgias.config.schema import CONFIG_SCHEMA
from tap_gorgias.errors import SettingsError
from tap_gorgias.tap import TapGorgias
from tests.support.documents import table

MIGRATIONS = table("connector", "its settings")
NAME = re.compile(r"`-{0,2}([\w-]+)`")


def names(cell: str) -> list[str]:
    """Return the settings in a cell of the document."""
    return [name.replace("-", "_") for name in NAME.findall(cell)]


RENAMED = {
    old: new
    for _, theirs, ours in MIGRATIONS
    for old, new in zip(names(theirs)[::-1], names(ours)[::-1], strict=False)
    if old != new
}


def problem_with(setting: str) -> str:
    """Return what the tap says about a setting that it does not know."""
    config = {"subdomain": "acme", "email": "a@acme.com", "api_key": "key"}
    with pytest.raises(SettingsError) as failed:
        TapGorgias(config={**config, setting: "value"})
    (problem,) = failed.value.errors
    return str(problem)


@pytest.mark.parametrize(("theirs", "ours"), RENAMED.items())
def test_the_own_name_is_suggested(theirs: str, ours: str) -> None:
    """As the table for migrations pairs them."""
    assert f"Did you mean `{ours}`?" in problem_with(theirs)


def test_the_table_names_settings() -> None:
    """Each of the other connectors has at least one other name."""
    assert {"email_address", "username", "password", "domain_name"} <= RENAMED.keys()
    assert set(RENAMED.values()) <= CONFIG_SCHEMA["properties"].keys()


@pytest.mark.parametrize(
    "setting", ["page_size", "ticket_view_page_size", "tickets_view_id"]
)
def test_needless_settings_are_to_be_removed(setting: str) -> None:
    """No setting of the tap corresponds to them."""
    problem = problem_with(setting)

    assert "Remove" in problem
    assert "Did you mean" not in problem
