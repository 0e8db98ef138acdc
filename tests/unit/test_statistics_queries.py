"""The setting `statistics` defines streams, or its problems are reported."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tap_gorgias.config.statistics import PRESETS, StatisticsQuery, read_queries
from tests.support.cases import table

QUERY: dict[str, Any] = {
    "name": "refunds",
    "scope": "ticket-fields",
    "measures": ["ticketCount"],
    "dimensions": ["customFieldValue"],
    "granularity": "month",
    "filters": [{"member": "customFieldId", "operator": "one-of", "values": ["5"]}],
}
PERIOD_FILTER = {"member": "periodEnd", "operator": "beforeDate", "values": ["x"]}

REFUSED: dict[str, tuple[Any, str]] = {
    "misspelt preset": ("tickets_create", "mean `tickets_created`? Presets are"),
    "no preset": ("weather", "names the unknown preset `weather`. Presets are `first_"),
    "unknown key": ({**QUERY, "measure": []}, "has the unknown key `measure`; "),
    "no name": ({**QUERY, "name": None}, "is missing `name`"),
    "no scope": ({"name": "a"}, "is missing `scope`"),
    "name with capitals": ({**QUERY, "name": "MyName"}, "has an invalid `name`"),
    "name with a path": ({**QUERY, "name": "../x"}, "has an invalid `name`"),
    "long name": ({**QUERY, "name": "n" * 51}, "has an invalid `name`"),
    "number as name": (
        {**QUERY, "name": 5},
        "has an invalid `name`: it must consist of lower",
    ),
    "scope with spaces": ({**QUERY, "scope": "a b"}, "has an invalid `scope`"),
    "no measures": ({**QUERY, "measures": []}, "is missing `measures`, for example"),
    "measures as text": (
        {**QUERY, "measures": "ticketCount"},
        "list of names such as `agentId` in `measures`",
    ),
    "number as measure": (
        {**QUERY, "measures": [5]},
        "list of names such as `agentId` in `measures`",
    ),
    "dimension with SQL": (
        {**QUERY, "dimensions": ["a;b"]},
        "list of names such as `agentId` in `dimensions`",
    ),
    "a column twice": (
        {**QUERY, "measures": ["ticketCount", "ticketCount"]},
        "would have two columns named `ticket_count`",
    ),
    "the key's column": ({**QUERY, "dimensions": ["id"]}, "two columns named `id`"),
    "columns that differ by capitals": (
        {**QUERY, "dimensions": ["agentid", "agentId", "agent_id"]},
        "list of names such as `agentId` in `dimensions`",
    ),
    "granularity": ({**QUERY, "granularity": "year"}, "must have one of `hour`, "),
    "list as granularity": (
        {**QUERY, "granularity": ["day"]},
        "must have one of `hour`",
    ),
    "filters as object": ({**QUERY, "filters": {}}, "a list of objects in `filters`"),
    "text as filter": ({**QUERY, "filters": ["agentId"]}, "a list of objects in"),
    "filter by period": ({**QUERY, "filters": [PERIOD_FILTER]}, "filter by period"),
    "time dimension": (
        {**QUERY, "time_dimension": "a-b"},
        "has an invalid `time_dimension`",
    ),
    "number": (5, "must be the name of a preset, or an object"),
}


def test_a_complete_query_is_used_unchanged() -> None:
    """All its parts are requested."""
    assert read_queries([QUERY]) == (
        [
            StatisticsQuery(
                name="refunds",
                scope="ticket-fields",
                measures=("ticketCount",),
                dimensions=("customFieldValue",),
                granularity="month",
                filters=tuple(QUERY["filters"]),
            )
        ],
        [],
    )


def test_a_short_query_is_by_day_without_dimensions() -> None:
    """Three keys are sufficient."""
    short = {"name": "all", "scope": "tickets-created", "measures": ["ticketCount"]}
    ((query,), problems) = read_queries([short])
    assert not problems
    assert (query.granularity, query.dimensions, query.filters) == ("day", (), ())
    assert query.period_dimension == "createdDatetime"


@table(REFUSED)
def test_an_invalid_query_is_refused(case: tuple[Any, str]) -> None:
    """The message names the entry and the problem."""
    entry, reason = case
    queries, (problem,) = read_queries(["tags", entry])
    assert queries == [PRESETS["tags"]]
    assert problem.startswith("Setting `statistics`: entry 2 ")
    assert reason in problem
    assert problem.endswith(".")


@pytest.mark.parametrize("clash", ["tags", {**QUERY, "name": "tags"}])
def test_two_queries_of_one_name_are_refused(clash: object) -> None:
    """Their rows would be loaded into one table."""
    _, problems = read_queries(["tags", clash])
    assert problems == [
        "Setting `statistics`: entry 2 has the same name as an earlier entry, `tags`."
    ]


def test_the_presets_are_those_that_users_rely_on() -> None:
    """Their names are names of tables."""
    assert {
        name: (one.scope, one.period_dimension) for name, one in PRESETS.items()
    } == {
        "first_response_time": ("first-response-time", "firstAgentMessageDatetime"),
        "messages_received": ("messages-received", "sentDatetime"),
        "messages_sent": ("messages-sent", "sentDatetime"),
        "one_touch_tickets": ("one-touch-tickets", "closedDatetime"),
        "resolution_time": ("resolution-time", "createdDatetime"),
        "satisfaction": ("satisfaction-surveys", "createdDatetime"),
        "tags": ("tags", "timestamp"),
        "ticket_handle_time": ("ticket-handle-time", "createdDatetime"),
        "ticket_sla": ("ticket-sla", "anchorDatetime"),
        "tickets_closed": ("tickets-closed", "closedDatetime"),
        "tickets_created": ("tickets-created", "createdDatetime"),
        "tickets_replied": ("tickets-replied", "sentDatetime"),
    }
    assert all(one.granularity == "day" for one in PRESETS.values())
    assert all(one.stream == f"statistics_{name}" for name, one in PRESETS.items())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_schema_follows_the_rules_of_all_schemas(preset: str) -> None:
    """Types, column names and descriptions are as in the package."""
    schema = PRESETS[preset].schema
    Draft7Validator.check_schema(schema)
    properties = schema["properties"]
    assert list(properties)[:4] == ["id", "period_start", "timezone", "read_datetime"]
    for column, node in properties.items():
        assert re.fullmatch(r"[a-z][a-z_]{0,62}", column)
        assert node["type"][1:] == ([] if column == "id" else ["null"])
        assert node["type"][0] in {"string", "number"}
        assert node.get("maxLength") == (255 if column == "id" else None)
        assert node["description"].endswith(".")


@pytest.mark.parametrize(
    ("scope", "period_dimension"),
    [
        ("voice-queue-exposure", "queuedDate"),
        ("online-time", ""),
        ("newer-than-the-tap", "createdDatetime"),
    ],
)
def test_a_scope_is_counted_by_its_own_date(scope: str, period_dimension: str) -> None:
    """It is that of the API document, unless the query names another one."""
    entry = {"name": "a", "scope": scope, "measures": ["x"]}
    other = {**entry, "name": "b", "time_dimension": "soldDatetime"}
    ((query, named), _) = read_queries([entry, other])
    assert query.period_dimension == period_dimension
    assert named.period_dimension == "soldDatetime"


def test_columns_describe_their_units() -> None:
    """A number without a unit is ambiguous."""
    properties = PRESETS["ticket_handle_time"].schema["properties"]
    handle_time = properties["average_handle_time"]
    assert handle_time["type"] == ["number", "null"]
    assert handle_time["description"] == "Average handle time, in seconds."
    assert properties["agent_id"]["type"] == ["string", "null"]
