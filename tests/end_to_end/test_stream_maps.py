"""Stream maps are checked at the start: one that is not applied masks nothing."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.mapper import CustomStreamMap

from tap_gorgias.errors import SettingsError, messages_of
from tap_gorgias.sdk.stream_maps import FUNCTIONS
from tap_gorgias.streams import STREAMS
from tests.sandbox import Sandbox, Shop
from tests.support.runs import Files, Output, PartialRun, run, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=3, tickets=12, customers=9, events=12)) as sandbox:
        yield sandbox


def mapped(sandbox: Sandbox, maps: object, *streams: str, **settings: Any) -> Output:
    """Run the tap with stream maps."""
    return run({**sandbox.config, "stream_maps": maps, **settings}, *streams)


def problems(sandbox: Sandbox, maps: object, *streams: str, **settings: Any) -> str:
    """Return the lines of the error, which comes before any request and any output."""
    sandbox.reset_counters()
    with pytest.raises(PartialRun) as failure:
        mapped(sandbox, maps, *streams, **settings)
    error = failure.value.__cause__
    assert isinstance(error, SettingsError)
    assert failure.value.output.messages == []
    assert sandbox.count() == 0
    return "\n".join(messages_of(error))


WRONG = {
    "stream": ({"ticket_mesages": "__NULL__"}, "`ticket_messages`"),
    "stream, with nulls": ({"ticket_mesages": None}, "`ticket_messages`"),
    "source": ({"people": {"__source__": "custmers"}}, "`customers`"),
    "source that is null": ({"people": {"__source__": None}}, "stream_maps.people"),
    "pattern": ({"tikcet*": {"subject": "__NULL__"}}, "stream_maps.tikcet*"),
    "option": ({"customers": {"__fliter__": "active"}}, "`__filter__`"),
    "removed property": ({"customers": {"emial": "__NULL__"}}, "`email`"),
    "replaced property": ({"customers": {"emial": "md5(email)"}}, "`email`"),
    "added property with self": ({"customers": {"hash": "md5(self)"}}, "`self`"),
    "name": ({"customers": {"email": "md5(emial)"}}, "`email`"),
    "function": ({"customers": {"email": "sha265(email)"}}, "`sha256`"),
    "item": ({"customers": {"email": "record['emial']"}}, "`email`"),
    "name in a filter": ({"customers": {"__filter__": "actve"}}, "`active`"),
    "configuration": ({"customers": {"email": "config['salt'] + email"}}, "`salt`"),
    "syntax": ({"customers": {"email": "md5(email"}}, "stream_maps.customers.email"),
    "statement": ({"customers": {"email": "x = 1"}}, "stream_maps.customers.email"),
    "syntax of a filter": (
        {"customers": {"__filter__": "id >"}},
        "stream_maps.customers.__filter__",
    ),
    "alias": (
        {"customers": {"__alias__": "my people"}},
        "stream_maps.customers.__alias__",
    ),
    "keys that are null": (
        {"customers": {"__key_properties__": None}},
        "stream_maps.customers.__key_properties__",
    ),
    "no keys": (
        {"customers": {"__key_properties__": []}},
        "stream_maps.customers.__key_properties__",
    ),
    "unknown key": ({"customers": {"__key_properties__": ["idd"]}}, "`idd`"),
    "removed key": ({"customers": {"id": "__NULL__"}}, "`id`"),
    "removed by else": ({"customers": {"__else__": None, "name": "name"}}, "`id`"),
    "nulls that Meltano dropped": ({"customers": {}}, "__NULL__"),
    "pattern and expression": ({"*": {"email": "md5(email)"}}, "`tags`"),
}


@pytest.mark.parametrize(("maps", "named"), WRONG.values(), ids=list(WRONG))
def test_a_mistake_is_reported_before_the_first_request(
    sandbox: Sandbox, maps: object, named: str
) -> None:
    """One line names the setting, and what was probably meant."""
    found = problems(sandbox, maps, "customers", "tags")

    assert "\n" not in found
    assert "stream_maps" in found
    assert named in found


def test_a_mistake_in_the_map_of_a_deselected_stream_is_reported(
    sandbox: Sandbox,
) -> None:
    """It would otherwise be found in another job."""
    assert "`email`" in problems(sandbox, {"customers": {"emial": None}}, "tags")


def test_faker_must_be_installed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK would report an unknown name for each record."""
    monkeypatch.setattr("tap_gorgias.sdk.stream_maps.find_spec", lambda _: None)

    assert "faker" in problems(sandbox, {"customers": {"name": "fake.name()"}})


def test_a_deselected_property_cannot_be_used(sandbox: Sandbox) -> None:
    """The record does not contain it."""
    found = problems(sandbox, {"rules": {"size": "str(code_ast)"}})

    assert "`code_ast`" in found
    assert "deselected" in found


def test_each_mistake_has_a_line(sandbox: Sandbox) -> None:
    """They can be corrected at once."""
    maps = {"cusomers": None, "tags": {"nmae": None}, "users": {"name": "x("}}

    assert len(problems(sandbox, maps).splitlines()) == 3


def test_the_map_of_a_deselected_stream_is_not_evaluated(sandbox: Sandbox) -> None:
    """The same settings suit jobs with different selections."""
    maps = {
        "customers": {"email": "md5(email)", "name": "__NULL__"},
        "rules": {"code_ast": "json.dumps(code_ast)"},
        "tickets": {"subject": "__NULL__"},
    }

    output = mapped(sandbox, maps, "tickets")

    assert set(output.schemas) == {"tickets"}
    assert all("subject" not in row for row in output.records("tickets"))


@pytest.mark.parametrize("selected", [(), ("tickets",), ("tags", "users")])
def test_a_pattern_suits_any_selection(
    sandbox: Sandbox, selected: tuple[str, ...]
) -> None:
    """It removes a property where there is one."""
    output = mapped(sandbox, {"*": {"meta": "__NULL__"}}, *selected)

    default = {stream.name for stream in STREAMS if stream.selected_by_default}
    assert set(output.schemas) == (set(selected) or default)
    assert not any(
        "meta" in row for name in output.schemas for row in output.records(name)
    )


def test_a_pattern_that_another_map_replaces_is_reported(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK uses only the last map of a stream."""
    maps = {"*": {"meta": "__NULL__"}, "tickets": {"subject": "__NULL__"}}

    mapped(sandbox, maps, "tickets", "tags")

    warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
    [warning] = [one.getMessage() for one in warnings if "stream_maps" in one.message]
    assert "`tickets`" in warning


def test_the_options_of_the_sdk_work(sandbox: Sandbox) -> None:
    """Sources, keys, new names and the removal of everything else."""
    maps = {
        "people": {
            "__source__": "customers",
            "__else__": "__NULL__",
            "__key_properties__": ["customer"],
            "customer": "id",
            "last_name": "lastname",
        },
        "customers": {"lastname": "__NULL__", "last_name": "lastname"},
        "__else__": "__NULL__",
    }

    output = mapped(sandbox, maps, "customers", "tickets", "users")

    assert {"people", "customers"} <= set(output.schemas)
    assert "users" not in output.schemas
    assert output.schemas["people"]["key_properties"] == ["customer"]
    assert set(output.records("people")[0]) == {"customer", "last_name"}
    assert "lastname" not in output.records("customers")[0]


def test_an_alias_and_a_filter_apply(sandbox: Sandbox) -> None:
    """The stream gets another name, and fewer rows."""
    maps = {"tickets": {"__alias__": "cases", "__filter__": "status == 'open'"}}

    cases = mapped(sandbox, maps, "tickets").records("cases")

    rows = sandbox.shop.tickets.rows()
    assert {row["id"] for row in cases} == {
        row["id"] for row in rows if row["status"] == "open"
    }


def test_statistics_can_be_mapped(sandbox: Sandbox) -> None:
    """Their streams come from the settings."""
    queries = {"statistics": ["tickets_created"]}
    stream = "statistics_tickets_created"

    output = mapped(sandbox, {stream: {"ticket_count": "__NULL__"}}, stream, **queries)
    wrong = problems(sandbox, {stream: {"ticket_cuont": None}}, **queries)

    assert output.records(stream)
    assert "ticket_count" not in output.schemas[stream]["schema"]["properties"]
    assert "`ticket_count`" in wrong


def test_a_comprehension_has_names_of_its_own(sandbox: Sandbox) -> None:
    """They are not properties."""
    maps = {"tickets": {"tag_names": "json.dumps([tag['name'] for tag in tags])"}}

    rows = mapped(sandbox, maps, "tickets").records("tickets")

    assert any(json.loads(row["tag_names"]) for row in rows)


def test_schemas_can_be_written_with_maps(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--test=schema` writes those of all streams."""
    config = {**sandbox.config, "stream_maps": {"messages": {"body_text": "__NULL__"}}}

    result = run_command([*Files(tmp_path).arguments(config), "--test=schema"])

    schemas = Output.parse(result.stdout).schemas
    assert set(schemas) == {stream.name for stream in STREAMS}
    assert "body_text" not in schemas["messages"]["schema"]["properties"]


def test_the_known_functions_are_those_of_the_sdk() -> None:
    """An expression that uses any of them is accepted."""
    functions = CustomStreamMap(
        "tags", {}, {}, {"properties": {}}, [], {}, flattening_options=None
    ).functions
    assert set(functions) == FUNCTIONS


@pytest.mark.parametrize("name", ["assignee_email", "customer_id", "subjects", "e"])
def test_a_column_can_be_added(sandbox: Sandbox, name: str) -> None:
    """Its name only must not look like a misspelled property."""
    [row, *_] = mapped(sandbox, {"tickets": {name: "str(id)"}}, "tickets").records(
        "tickets"
    )

    assert row[name] == str(row["id"])


def test_a_property_that_is_left_out_is_null(sandbox: Sandbox) -> None:
    """An expression for `view_items` meets tickets and customers."""
    maps = {"view_items": {"email": "md5(email) if email else None"}}

    rows = mapped(sandbox, maps, "view_items").records("view_items")

    assert {row["item_type"] for row in rows if row["email"]} == {"customer"}
    assert {row["item_type"] for row in rows} == {"customer", "ticket"}
