"""A helpdesk in a warehouse, with the models of the dbt project on top, twice."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from scripts import compiled_models
from tap_gorgias.compat import override
from tests.sandbox import Sandbox, Shop
from tests.targets.bigquery import PROJECT, BigQuery
from tests.targets.dbt import SCHEMA, Dbt
from tests.targets.environments import executable
from tests.targets.loading import Database, DuckDB, PostgreSQL, load, target_of
from tests.targets.postgresql import NAME
from tests.targets.reference import Reference
from tests.targets.snowflake import DATABASE, Snowflake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.sandbox.shop import TicketMerged
    from tests.targets.target import Row, Target

ZONE = "America/New_York"
PRESETS = ("tickets_created", "messages_sent", "satisfaction", "first_response_time")
VARIABLES: Mapping[str, Any] = {
    "gorgias_timezone": ZONE,
    "gorgias_ticket_custom_fields": {"contact_reason": 319825},
    "gorgias_customer_custom_fields": {"loyalty": 319846},
    "gorgias_statistics": PRESETS,
}
UNPACKED = (
    "stg_gorgias__ticket_tags",
    "stg_gorgias__ticket_custom_fields",
    "stg_gorgias__customer_custom_fields",
    "stg_gorgias__ticket_message_recipients",
    "stg_gorgias__team_members",
    "stg_gorgias__message_macros",
)
"""The staging models of what is inside other rows."""
INCREMENTAL = (
    "int_gorgias__ticket_tags",
    "int_gorgias__conversations",
    "int_gorgias__business_times",
    "int_gorgias__figures",
)
"""Models that keep rows from build to build, besides `gorgias_tickets`."""
MODELS = (
    "gorgias_tickets",
    "gorgias_agent_days",
    "gorgias_channel_days",
    "gorgias_tag_days",
    "gorgias_backlog",
    "gorgias_customers",
    "gorgias_message_gaps",
    "gorgias_statistics_check",
)


EDITS = """
UPDATE gorgias.tags SET name = name || '!' WHERE id % 3 = 0;
UPDATE gorgias.customers SET email = 'New@acme.test' WHERE id % 5 = 0;
UPDATE gorgias.satisfaction_surveys SET score = 1 WHERE score = 5;
DELETE FROM gorgias.voice_calls WHERE id % 2 = 0;
DELETE FROM gorgias.events WHERE type = 'ticket-reopened' AND id % 2 = 0;
DELETE FROM gorgias.ticket_messages WHERE id % 9 = 0;
UPDATE gorgias.ticket_messages
    SET ticket_id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 0)
    WHERE ticket_id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 1);
UPDATE gorgias.tickets SET subject = 'New', tags = NULL
    WHERE id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 2);
UPDATE gorgias.tickets SET spam = true
    WHERE id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 3);
UPDATE gorgias.tickets SET custom_fields = NULL
    WHERE id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 4);
DELETE FROM gorgias.tickets
    WHERE id = (SELECT max(id) FROM gorgias.tickets WHERE id % 7 = 5);
"""
"""Changes that no date tells; most tickets stay as they are."""
ALTERED = 1_000_000
ALTER = f"""
UPDATE {SCHEMA}.gorgias_tickets SET call_seconds = {ALTERED} WHERE ticket_id = (
    SELECT min(ticket_id) FROM {SCHEMA}.gorgias_tickets AS ticket
    WHERE ticket_id % 11 > 0 AND tags IS NULL AND customer_id % 5 > 0
        AND satisfaction_score IS NULL
        AND calls = 0 AND times_reopened = 0 AND messages = (
            SELECT count(*) FROM gorgias.ticket_messages AS message
            WHERE message.ticket_id = ticket.ticket_id
        )
);
DELETE FROM {SCHEMA}.gorgias_tickets WHERE ticket_id % 11 = 0;
DELETE FROM {SCHEMA}.int_gorgias__figures WHERE ticket_id % 13 = 0;
DELETE FROM {SCHEMA}.gorgias_channel_days WHERE extract(day FROM date_day) = 7;
DELETE FROM {SCHEMA}.gorgias_customers WHERE customer_id % 7 = 0;
"""  # noqa: S608
"""Changes a built row of a ticket that `EDITS` leave as it is, and deletes rows as a
build does that is interrupted before it adds their new versions."""
NEW_SETTINGS: Mapping[str, Any] = {
    **VARIABLES,
    "gorgias_timezone": "Asia/Tokyo",
    "gorgias_ticket_custom_fields": {"reason": 319825},
    "gorgias_business_hours": [
        {"days": "1,2,3,4,5,6", "from_time": "08:00", "to_time": "12:00"}
    ],
    "gorgias_bot_roles": ["agent"],
}


@dataclass
class Stage:
    """What the models contained after a build, and what they should contain."""

    rows: Mapping[str, list[Row]]
    expected: Mapping[str, list[Row]]


class Warehouse(ABC):
    """A way to build the models on top of a target.

    Attributes:
        streams: The streams that it needs; all if empty.
    """

    streams: Collection[str] = ()

    @abstractmethod
    def build(self) -> None:
        """Build the models."""

    @abstractmethod
    def rows(self, names: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows of models."""


@dataclass
class BuiltByDbt(Warehouse):
    """A database that dbt connects to."""

    target: Database
    dbt: Dbt
    is_built: bool = False

    @override
    def build(self) -> None:
        """Run `dbt build` with all tests, but unit tests only once."""
        options = ("--exclude-resource-type", "unit_test") if self.is_built else ()
        self.is_built = True
        self.dbt("build", *options)

    def edit(self) -> Stage:
        """Change settings and rows, build on top of the last build, and then anew."""
        self.dbt.variables = NEW_SETTINGS
        self.dbt("run")
        self.target.ask(EDITS + ALTER)
        found = []
        for options in ((), ("--full-refresh",)):
            self.dbt("run", *options)
            found.append(self.rows((*MODELS, *INCREMENTAL)))
        return Stage(*found)

    @override
    def rows(self, names: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows of models."""
        return self.target.rows_in(SCHEMA, *names)


@dataclass
class BuiltBySql(Warehouse):
    """An emulator that gets the statements of a release.

    Attributes:
        dbt: What builds on top of them from the second time on.
    """

    target: BigQuery | Snowflake
    statements: Sequence[str]
    dbt: Dbt
    streams: Collection[str]
    is_built: bool = False

    @property
    def _before(self) -> list[str]:
        return [f"USE DATABASE {DATABASE}"] * isinstance(self.target, Snowflake)

    @override
    def build(self) -> None:
        """Send the statements, or run `dbt run`."""
        if self.is_built:
            self.dbt("run")
            return
        self.is_built = True
        schema = f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"
        self.target.ask(*self._before, schema, *self.statements)

    @override
    def rows(self, names: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows of models."""
        if isinstance(self.target, Snowflake):
            return self.target.rows_in(SCHEMA.upper(), *names)
        found = self.target.ask(*(f"SELECT * FROM {SCHEMA}.{name}" for name in names))  # noqa: S608
        return dict(zip(names, found, strict=True))


def warehouse_of(target: Target, folder: Path) -> Warehouse:
    """Return how the models are built on top of a target."""
    if isinstance(target, BigQuery | Snowflake):
        name = target.name.removeprefix("target-")
        content = compiled_models.manifest(executable("dbt"), name, VARIABLES)
        needed = {
            source.rpartition(".")[2]
            for key, node in content["nodes"].items()
            for source in node["depends_on"]["nodes"]
            if key.startswith("model.") and source.startswith("source.")
        }
        statements = list(compiled_models.statements(name, content))
        if isinstance(target, Snowflake):
            dbt = Dbt(name, folder / "dbt", target.address, VARIABLES)
        else:
            variables = {"BIGQUERY_EMULATOR_HOST": target.address}
            connection = {"api_endpoint": target.address, "location": "US"}
            connection["project"] = PROJECT
            dbt = Dbt(
                name, folder / "dbt", connection, VARIABLES, environment=variables
            )
        return BuiltBySql(target, statements, dbt, needed)
    if isinstance(target, DuckDB):
        connection = dict(target.settings)
        return BuiltByDbt(target, Dbt("duckdb", folder / "dbt", connection, VARIABLES))
    assert isinstance(target, PostgreSQL)
    connection = {"host": target.host, "user": NAME, "dbname": NAME}
    return BuiltByDbt(target, Dbt("postgres", folder / "dbt", connection, VARIABLES))


def invented_shop(ticket_merged: TicketMerged) -> Shop:
    """Create a shop in which every kind of author writes."""
    shop = Shop(
        seed=8,
        tickets=150,
        satisfaction_surveys=90,
        customers=60,
        events=500,
        tags=12,
        ticket_merged=ticket_merged,
    )
    shop.users.update(shop.users.id_at(3), role={"name": "internal-agent"})
    answers = [row["id"] for row in shop.messages.rows() if row["from_agent"]]
    for number in answers[:60:3]:
        shop.messages.update(number, via="email")
    return shop


def change(shop: Shop) -> list[Row]:
    """Let an hour pass, with everything that is hard to follow.

    Returns:
        Messages that were deleted, which leaves no trace.
    """
    shop.advance(3_600)
    rows = [row for row in shop.tickets.rows() if row["status"] == "open"]
    rows.sort(key=lambda row: row["created_datetime"], reverse=True)
    deleted, merged, kept, answered, closed, *_, gap = (row["id"] for row in rows)
    first, second, third = shop.customers.ids()[:3]
    shop.tickets.delete(deleted)
    shop.tickets.merge(merged, kept)
    shop.messages.create(kept)
    shop.customers.merge(first, second)
    shop.customers.merge(second, third)
    shop.messages.create(answered)
    shop.messages.create(answered)
    shop.tickets.update(closed, status="closed", closed_datetime=shop.now)
    for number, kind in ((closed, "ticket-closed"), (answered, "ticket-reopened")):
        shop.events.create(object_type="Ticket", object_id=number, type=kind)
    shop.tickets.update(answered)
    shop.tickets.import_ticket("2026-08-03T10:00:00+00:00", messages=3)
    survey = next(
        row
        for row in reversed(list(shop.satisfaction_surveys.rows()))
        if row["sent_datetime"] and row["score"] is None
    )
    shop.satisfaction_surveys.update(survey["id"], score=2, scored_datetime=shop.now)
    shop.advance(60)
    message = shop.messages.row(shop.messages.of_ticket(gap)[0])
    shop.messages.delete(message["id"])
    shop.tickets.update(gap)
    return [message]


def build_twice(
    name: str, folder: Path, ticket_merged: TicketMerged
) -> Iterator[tuple[str, Stage]]:
    """Load a shop and build the models, change it, and do both again.

    Args:
        name: The name of a target.
        folder: A folder for files.
        ticket_merged: Which ticket the event of a merge names.

    Yields:
        The stages `first` and `second`; then `edited`, if dbt builds the models, in
        which the expected rows are those of a full build.
    """
    shop = invented_shop(ticket_merged)
    with contextlib.ExitStack() as stack:
        target = target_of(name, folder, stack)
        warehouse = warehouse_of(target, folder)
        sandbox = stack.enter_context(Sandbox(shop))
        config = {
            **sandbox.config,
            "ticket_messages_settle_hours": 0,
            "statistics": list(PRESETS),
            "statistics_timezone": ZONE,
        }
        state: Mapping[str, Any] | None = None
        deleted: list[Row] = []
        for stage in ("first", "second"):
            state = load(target, config, folder, state, warehouse.streams).state
            warehouse.build()
            reference = Reference(shop, ZoneInfo(ZONE), deleted)
            expected = reference.all_models()
            if stage == "first":
                expected |= {"gorgias_statistics_check": reference.statistics()}
                expected |= reference.unpacked()
            yield stage, Stage(warehouse.rows((*MODELS, *UNPACKED)), expected)
            if stage == "first":
                deleted = change(shop)
        if isinstance(warehouse, BuiltByDbt):
            yield "edited", warehouse.edit()
