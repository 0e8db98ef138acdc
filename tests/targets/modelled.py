"""A helpdesk in a database, with the models of the dbt project on top, twice."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.sandbox import Sandbox, Shop
from tests.targets.dbt import SCHEMA, Dbt
from tests.targets.loading import Database, DuckDB, PostgreSQL, load, target_of
from tests.targets.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.targets.target import Row

ZONE = "America/New_York"
PRESETS = ("tickets_created", "messages_sent", "satisfaction", "first_response_time")
VARIABLES = {
    "gorgias_timezone": ZONE,
    "gorgias_ticket_custom_fields": {"contact_reason": 319825},
    "gorgias_customer_custom_fields": {"loyalty": 319846},
    "gorgias_statistics": PRESETS,
}
MODELS = (
    "gorgias_tickets",
    "gorgias_agent_days",
    "gorgias_channel_days",
    "gorgias_tag_days",
    "gorgias_backlog",
    "gorgias_customers",
    "gorgias_message_gaps",
    "gorgias_statistics_check",
    "stg_gorgias__ticket_tags",
    "stg_gorgias__ticket_custom_fields",
    "stg_gorgias__customer_custom_fields",
    "stg_gorgias__ticket_message_recipients",
    "stg_gorgias__team_members",
    "stg_gorgias__message_macros",
)


@dataclass
class Stage:
    """What the models contained after a build, and what they should contain."""

    rows: Mapping[str, list[Row]]
    expected: Mapping[str, list[Row]]


def invented_shop(ticket_merged: Any) -> Shop:  # noqa: ANN401
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
    """Let an hour of business pass, with everything that is hard to follow.

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
    shop.events.create(
        object_type="Ticket", object_id=closed, type="ticket-closed", data=None
    )
    shop.events.create(
        object_type="Ticket", object_id=answered, type="ticket-reopened", data=None
    )
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


def connection_of(target: Database) -> tuple[str, dict[str, Any]]:
    """Return the adapter for a database and its settings."""
    if isinstance(target, DuckDB):
        return "duckdb", {"path": target.settings["path"]}
    assert isinstance(target, PostgreSQL)
    return "postgres", {"host": target.host}


def rows_of(target: Database) -> dict[str, list[Row]]:
    """Return the rows of the models."""
    lines = target.ask(
        " UNION ALL ".join(
            f"SELECT '{name}' || chr(9) || {target.to_json}(row)"  # noqa: S608
            f" FROM {SCHEMA}.{name} AS row"
            for name in MODELS
        )
    )
    found: dict[str, list[Row]] = {name: [] for name in MODELS}
    for line in lines:
        name, _, row = line.partition("\t")
        found[name].append(json.loads(row))
    return found


@contextlib.contextmanager
def modelled(name: str, folder: Path, ticket_merged: Any) -> Iterator[dict[str, Stage]]:  # noqa: ANN401
    """Load a shop and build the models, change it, and do both again.

    Args:
        name: The name of a target.
        folder: A folder for files.
        ticket_merged: Which ticket the event of a merge names.

    Yields:
        The stages `first` and `second`.
    """
    shop = invented_shop(ticket_merged)
    zone = ZoneInfo(ZONE)
    with contextlib.ExitStack() as stack:
        target = target_of(name, folder, stack)
        assert isinstance(target, Database)
        sandbox = stack.enter_context(Sandbox(shop))
        config = {
            **sandbox.config,
            "ticket_messages_settle_hours": 0,
            "statistics": list(PRESETS),
            "statistics_timezone": ZONE,
        }
        adapter, connection = connection_of(target)
        dbt = Dbt(adapter, folder / "dbt", connection, VARIABLES)
        stages, state, deleted = {}, None, []
        for stage in ("first", "second"):
            state = load(target, config, folder, state).state
            dbt("build")
            expected = Reference(shop, zone, deleted).all_models()
            stages[stage] = Stage(rows_of(target), expected)
            if stage == "first":
                deleted = change(shop)
        yield stages
