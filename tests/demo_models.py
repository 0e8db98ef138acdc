"""The end of the demo: the models of `dbt/`, and three tables drawn from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

PROJECT = Path(__file__).resolve().parents[1] / "dbt"
PACKAGES = ("dbt-core>=1.10,<1.12", "dbt-duckdb>=1.10,<1.12", "duckdb<2")
SCHEMA = "gorgias_models"
NEEDED = {"customers", "ticket_messages", "tickets", "users"}
OPTIONAL = {
    *("account_settings", "custom_fields", "deletions", "events"),
    *("satisfaction_surveys", "tags", "teams", "voice_calls"),
}
"""Streams that the models can do without."""
_LOADED = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'gorgias'"
COMMAND_LINE = (
    "import duckdb; helpdesk = duckdb.connect('{database}'); helpdesk.sql("
    "'SELECT channel, status, count(*) FROM gorgias.tickets GROUP BY ALL').show()"
)
NOTEBOOK = (
    'import duckdb; helpdesk = duckdb.connect("{database}"); helpdesk.sql('
    '"SELECT * FROM gorgias.tickets").df()'
)
CHANNELS = 5
WIDTH = 24
BARS = " ▏▎▍▌▋▊▉█"

_BY_DAY = f"""
SELECT date_day, channel, tickets_created FROM {SCHEMA}.gorgias_channel_days
WHERE tickets_created > 0 AND date_day > (
  SELECT max(date_day) FROM {SCHEMA}.gorgias_channel_days WHERE tickets_created > 0
) - 10
"""  # noqa: S608
_BY_AGENT = f"""
SELECT coalesce(users.name, 'Id ' || first_response_agent_id) AS agent,
  count(*) AS tickets, median(first_response_seconds),
  quantile_cont(first_response_seconds, 0.9), median(first_response_business_seconds)
FROM {SCHEMA}.gorgias_tickets
LEFT JOIN {SCHEMA}.stg_gorgias__users AS users
  ON users.user_id = first_response_agent_id
WHERE first_response_seconds IS NOT NULL
GROUP BY first_response_agent_id, users.name ORDER BY 2 DESC, 1 LIMIT 10
"""  # noqa: S608
_BY_MONTH = f"""
SELECT strftime(date_day, '%Y-%m') AS month, sum(surveys_sent), sum(surveys_scored),
  sum(average_score * surveys_scored) / nullif(sum(surveys_scored), 0),
  100 * sum(surveys_satisfied) / nullif(sum(surveys_scored), 0)
FROM {SCHEMA}.gorgias_channel_days GROUP BY 1
HAVING sum(surveys_sent) + sum(surveys_scored) > 0 ORDER BY 1 DESC LIMIT 12
"""  # noqa: S608


def loaded(query: Callable[..., list[list[list[Any]]]]) -> set[str]:
    """Return the tables that are loaded, or none if too few are."""
    [names] = query(_LOADED)
    found = {name for (name,) in names}
    return found if found >= NEEDED else set()


def command(
    folder: Path, programs: Path, database: Path, streams: Collection[str]
) -> list[str]:
    """Write a profile and return the command that builds the models."""
    variables = {"gorgias_streams_not_loaded": sorted(OPTIONAL - set(streams))}
    output = {"type": "duckdb", "path": str(database), "schema": SCHEMA, "threads": 2}
    profiles = {"gorgias": {"target": "demo", "outputs": {"demo": output}}}
    files = folder / "models"
    files.mkdir(exist_ok=True)
    (files / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
    return [
        *(str(programs / "dbt"), "--no-send-anonymous-usage-stats", "build"),
        *("--exclude-resource-type", "unit_test", "test"),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(files)),
        *("--target-path", str(files / "target"), "--log-path", str(files)),
        *("--vars", json.dumps(variables)),
    ]


def hints(python: Path, database: Path) -> list[str]:
    """Say how to look at the tables, with the Python of the target."""
    script = COMMAND_LINE.format(database=_from_here(database))
    return [
        "Look at a table from the command line:",
        f'   {_from_here(python)} -c "{script}"',
        "or in a notebook with duckdb and pandas:",
        f"   {NOTEBOOK.format(database=_from_here(database))}",
    ]


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def bar(share: float, width: int = WIDTH) -> str:
    """Draw a bar that fills a share of a width."""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    return BARS[8] * (eighths // 8) + BARS[eighths % 8].strip()


def duration(seconds: float | None) -> str:
    """Format seconds for people."""
    if seconds is None:
        return "-"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02}" if hours < 48 else f"{hours / 24:.1f} d"


def draw(
    query: Callable[..., list[list[list[Any]]]], say: Callable[[str], None]
) -> None:
    """Draw tickets by day and channel, responses by agent, and CSAT by month."""
    by_day, by_agent, by_month = query(_BY_DAY, _BY_AGENT, _BY_MONTH)
    say("\n   Tickets created, by day and channel")
    _draw_days(by_day, say)
    say("\n   First response by agent: median, 90th percentile, in business hours")
    most = max((row[2] or 0 for row in by_agent), default=0) or 1
    for name, tickets, middle, slow, business in by_agent:
        cells = "".join(f"{duration(one):>9}" for one in (middle, slow, business))
        line = f"   {_left(name, 18)}{tickets:>5}{cells}  {bar((middle or 0) / most)}"
        say(line.rstrip())
    say("\n   Satisfaction by month: surveys sent, answered, average, 4 or 5")
    for month, sent, scored, average, satisfied in reversed(by_month):
        cells = f"{average:>7.2f}{satisfied:>6.0f} %" if scored else f"{'-':>7}{'-':>8}"
        share = (average - 1) / 4 if scored else 0
        line = f"   {month:<10}{int(sent):>6}{int(scored):>6}{cells}  {bar(share)}"
        say(line.rstrip())


def _left(text: str, width: int) -> str:
    """Fill up or cut a text; characters of East Asia take two columns."""
    shown = ""
    for character in text:
        columns = 1 + (east_asian_width(character) in "WF")
        if columns > width:
            break
        shown, width = shown + character, width - columns
    return shown + " " * width


def _draw_days(rows: Sequence[Sequence[Any]], say: Callable[[str], None]) -> None:
    totals: dict[str, int] = {}
    days: dict[str, dict[str, int]] = {}
    for day, channel, count in rows:
        totals[channel] = totals.get(channel, 0) + int(count)
        days.setdefault(str(day), {})[channel] = int(count)
    named = sorted(totals, key=lambda name: (-totals[name], name))[:CHANNELS]
    say(f"   {'':<10}" + "".join(f"{name[:8]:>9}" for name in [*named, "all"]))
    most = max((sum(held.values()) for held in days.values()), default=1)
    for day, held in sorted(days.items()):
        total = sum(held.values())
        cells = "".join(f"{held.get(name, 0) or '.':>9}" for name in named)
        say(f"   {day:<10}{cells}{total:>9}  {bar(total / most, 10)}".rstrip())
