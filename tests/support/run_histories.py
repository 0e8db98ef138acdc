"""Random histories of whole runs of the tap, of a shop and of what a target keeps.

Before every answer the shop may change. Answers are spoiled, runs are killed between
any two lines, and the target flushes its rows in batches. Whenever a run ends with exit
code 0, the target must have every row that the shop had when the run began. Only a row
that changes during the run may wait for the next one, because it moves in its list.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_gorgias.compat import override
from tests.sandbox import Sandbox, Shop
from tests.sandbox.times import SECOND
from tests.support.changes import FIELDS, Changes, version_of
from tests.support.fake_clock import FakeClock
from tests.support.runs import PartialRun, catalog_of, run
from tests.support.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox import Request

    Versions: TypeAlias = dict[int, tuple[int, str | None]]
    """The version of each row, and when it last changed, by id."""

DELETED = ("-deleted", "-merged")
COLLECTIONS = {
    "customer_details": "customers",
    "deletions": "events",
    "ticket_details": "tickets",
    "ticket_messages": "messages",
}
"""The collection of the shop that a stream reads, unless it has the same name."""


@dataclass(frozen=True)
class Theme:
    """Streams that are read together, and what happens to them."""

    streams: tuple[str, ...]
    changes: tuple[str, ...]
    faults: tuple[str, ...]
    gaps: tuple[float, ...] = (0, 0.001, 1, 30)
    """Seconds before a change during a run."""
    changing: float = 0.3
    """The probability of changes before a request."""
    parallel_streams: int = 1


ROWS = (
    *("update ticket", "update customer", "create", "import", "remove", "future"),
    *("late update", "late creation", "late import"),
)
MESSAGES = ("message", "message", "late message")
EVENTS = ("events", "late event", "late event", "remove")
CALLS = ("call", "call", "create")
ANY_LIST = ("cut pages", "fleeting", "outage", "dead cursors", "no date", "date ahead")
PARENTS = ("parents", "parents", "hidden parents")
THEMES = {
    "feeds": Theme(
        ("tickets", "customers"), ROWS, (*ANY_LIST, "forbidden", "bad rows")
    ),
    "details": Theme(
        ("ticket_details", "customer_details"), ROWS, (*ANY_LIST, *PARENTS)
    ),
    "logs": Theme(
        ("events", "deletions"), EVENTS, (*ANY_LIST, "bad rows"), (1, 30, 200), 0.9
    ),
    "messages": Theme(
        ("ticket_messages", "tickets"), (*ROWS, *MESSAGES), (*ANY_LIST, *PARENTS)
    ),
    "phone": Theme(
        ("voice_call_events", "voice_calls", "tags"),
        CALLS,
        ("cut pages", "fleeting", "outage", "dead cursors", "phone"),
    ),
    "everything": Theme(
        (
            *("customers", "deletions", "events", "tags", "ticket_details"),
            *("ticket_messages", "tickets", "voice_call_events"),
        ),
        (*ROWS, *MESSAGES, *EVENTS, *CALLS),
        (*ANY_LIST, *PARENTS, "forbidden", "phone"),
        parallel_streams=6,
    ),
}


class ShopClock(FakeClock):
    """The clock of the tap's machine, which shows the time of the shop."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop

    @override
    def utc(self) -> datetime:
        return datetime.fromtimestamp(self._shop.timestamp / SECOND, timezone.utc)


@dataclass
class Target:
    """Keeps rows and STATE, and flushes both whenever a batch of rows is full."""

    batch_rows: int
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def load(self, messages: Iterable[dict[str, Any]], *, dies: bool) -> None:
        """Load the messages of a run; if it dies, the last batch is lost."""
        batch: list[dict[str, Any]] = []
        state = None
        for message in messages:
            if message["type"] == "STATE":
                state = message["value"]
            elif message["type"] == "RECORD":
                batch.append(message)
            if len(batch) >= self.batch_rows or (state is not None and not batch):
                self._flush(batch, state)
                batch, state = [], None
        if not dies:
            self._flush(batch, state)

    def _flush(self, batch: list[dict[str, Any]], state: dict[str, Any] | None) -> None:
        for message in batch:
            record = message["record"]
            self.rows.setdefault(message["stream"], {})[record["id"]] = record
        self.state = self.state if state is None else state


class RunHistory:
    """A shop and the runs that read it."""

    def __init__(self, seed: int, theme: Theme) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (to be repeated)
        self._theme = theme
        self.shop = Shop(
            seed=seed,
            tickets=30,
            customers=30,
            events=60,
            messages_per_ticket=1,
            satisfaction_surveys=4,
            tags=20,
            voice_calls=10,
        )
        self.target = Target(self._chance.choice([1, 7, 40, 10_000]))
        self.problems: list[str] = []
        self.runs: list[str] = []
        """What happened, for the message of a failed test."""

    def play(self) -> RunHistory:
        """Make runs in which anything may happen, and one in which nothing does."""
        with Sandbox(self.shop) as sandbox:
            self.sandbox = sandbox
            self.changes = Changes(self.shop, self._chance, self._theme.changes)
            self.weather = Weather(sandbox, self._chance, self._theme.faults)
            sandbox.before_request(self._change_sometimes)
            sandbox.rewrite(self.weather.spoil)
            for _ in range(self._chance.randrange(5)):
                self.weather.expire_cursors()
            for _ in range(self._chance.randrange(2, 6)):
                self.changes.make(10, (0, 1, 100, 4000, 90_000))
                if self._chance.random() < 0.4:
                    self.weather.expire_cursors()
                self._begin()
                self._run(is_killed=self._chance.random() < 0.4)
            self.weather.end()
            self.changes.settle()
            sandbox.remove_callbacks()
            sandbox.rewrite(self.weather.spoil)
            if not self._run(is_killed=False):
                self.problems.append("A healthy run fails.")
        return self

    def _begin(self) -> None:
        entries = self.target.state.get("bookmarks", {})
        phone = [one for one in self._theme.streams if one.startswith("voice")]
        key = "replication_key_value"
        self.weather.begin(
            parents=[*self.shop.tickets.ids(), *self.shop.customers.ids()],
            has_called=all(entries.get(one, {}).get(key) for one in phone),
        )
        # Rows that are hidden from a clock that is ahead can be missed.
        self.changes.may_be_late = "date ahead" not in self.weather.today
        if not self.changes.may_be_late:
            self.changes.settle()

    def _change_sometimes(self, _: Shop, __: Request) -> None:
        gaps = self._theme.gaps if self.changes.may_be_late else (0, 0.001)
        if self._chance.random() < self._theme.changing:
            self.changes.make(2, gaps)

    def _run(self, *, is_killed: bool) -> bool:
        """Make a run, and return whether it ended with exit code 0."""
        visible = {name: self._visible(name) for name in self._theme.streams}
        config = {
            **self.sandbox.config,
            "ticket_messages_settle_hours": 0,
            "parallel_streams": self._theme.parallel_streams,
        }
        succeeds, reason = True, ""
        try:
            output = run(
                config,
                catalog=_catalog(self._theme.streams),
                state=self.target.state,
                clock=ShopClock(self.shop),
            )
        except PartialRun as failure:
            succeeds, output = False, failure.output
            reason = str(failure.__cause__)
        messages = output.messages
        if is_killed:
            messages = messages[: self._chance.randrange(len(messages) + 1)]
        dies = is_killed and self._chance.random() < 0.5
        self.target.load(messages, dies=dies)
        succeeds = succeeds and not is_killed
        self.runs.append(f"{self.weather.today} {is_killed=} {succeeds=} {reason}")
        if succeeds:
            self.problems += self._missing(visible)
        return succeeds

    def _visible(self, stream: str) -> Versions:
        """Return the rows that a stream can read now."""
        name = COLLECTIONS.get(stream, stream)
        return {
            row["id"]: (version_of(row.get(FIELDS.get(name, ""))), self._changed(row))
            for row in getattr(self.shop, name).rows()
            if stream != "deletions" or row["type"].endswith(DELETED)
        }

    def _changed(self, row: dict[str, Any]) -> str | None:
        """Return when a row moved in the list in which the tap finds it."""
        if "body_text" in row and row["ticket_id"] in self.shop.tickets:
            row = self.shop.tickets.row(row["ticket_id"])
        changed: str | None = row.get("updated_datetime")
        return changed

    def _missing(self, before: dict[str, Versions]) -> list[str]:
        """Describe the rows that stood still during a run, and have not come."""
        missing = []
        for stream, rows in before.items():
            field_name = FIELDS.get(COLLECTIONS.get(stream, stream), "")
            loaded = self.target.rows.get(stream, {})
            after = self._visible(stream)
            for row_id, (version, changed) in rows.items():
                if row_id not in after or after[row_id][1] != changed:
                    continue
                text = loaded.get(row_id, {}).get(field_name)
                if row_id not in loaded or version_of(text) < version:
                    missing.append(f"run {len(self.runs)}: {stream} {row_id} {changed}")
        return missing


@lru_cache
def _catalog(streams: tuple[str, ...]) -> dict[str, Any]:
    return catalog_of(*streams)
