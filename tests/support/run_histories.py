"""Random histories of whole runs of the tap, of a shop and of what a target keeps.

Before every answer the shop may change. Answers are spoiled, runs are killed between
any two lines, and the target flushes its rows in batches. Whenever a run ends with exit
code 0, the target must have every row that the shop had when the run began. Only a row
that changes during the run may wait for the next one, because it moves in its list.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest import mock

from requests.adapters import HTTPAdapter

from tap_gorgias.api.limiter import MAX_SLEEP_SECONDS
from tap_gorgias.compat import override
from tap_gorgias.errors import Terminated
from tap_gorgias.run.progress import SECONDS_BETWEEN_LINES
from tap_gorgias.stream_types.stream import GorgiasStream
from tests.sandbox import Sandbox, Shop
from tests.sandbox.times import SECOND, iso, micros
from tests.support.changes import FIELDS, Changes, version_of
from tests.support.fake_clock import FakeClock
from tests.support.pipes import Pipe
from tests.support.runs import Output, PartialRun, run, small_catalog, text_of
from tests.support.themes import QUERY, STATISTICS
from tests.support.weather import CUSTOMER, LISTS, SOURCES, Weather, parent_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox import Request
    from tests.sandbox.collection import Collection
    from tests.support.themes import Theme

    Versions: TypeAlias = dict[int, tuple[int, str | None]]
    """The version of each row, and when it last changed, by id."""

BOOKMARK = "replication_key_value"
LISTED = {"customers", "deletions", "events", "tickets"}
"""The streams that get each row from a page of their own list."""
PIPES = {"slow target", "stopped target"}
STOPPED = "stopped"
SMALL_PIPE, LARGE_PIPE = 16 * 1024, 128 * 1024
"""Bytes; a line that is larger than the pipe is not written at once."""
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
MAX_LINES = 3
"""Of a healthy stream in a run, and one more in 30 seconds."""
MAX_HELD_BACK = 30.0
"""Seconds; the sandbox has no rate limit."""
MAX_REQUESTS_WITH_CHANGES = 80
"""A list that grows for ever would be read for ever."""
SEND = HTTPAdapter.send
CREDENTIALS = {"subdomain": "acme", "email": "jo@acme.example", "api_key": "key"}
DELETED = ("-deleted", "-merged")
COLLECTIONS = {
    "customer_details": "customers",
    "deletions": "events",
    "ticket_details": "tickets",
    "ticket_messages": "messages",
}
"""The collection of the shop that a stream reads, unless it has the same name."""


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


class Log(logging.Handler):
    """The lines that a run logs."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[logging.LogRecord] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)

    def __enter__(self) -> Log:  # noqa: PYI034 - Self needs Python 3.11
        """Begin to listen."""
        self._level = logging.root.level
        logging.root.setLevel(logging.INFO)
        logging.root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        logging.root.removeHandler(self)
        logging.root.setLevel(self._level)

    def problems(self, seconds: float) -> list[str]:
        """Describe what no log of a run of so many seconds may hold."""
        text = "\n".join(line.getMessage() for line in self.lines)
        streams = [one for one in self.lines if one.name.startswith("tap-gorgias.")]
        lines = Counter(one.name for one in streams if one.levelno == logging.INFO)
        return [
            *(f"{words} in the log" for words in CUSTOMER if words in text),
            *(
                f"{count} lines of {name}"
                for name, count in lines.items()
                if count > MAX_LINES + seconds / SECONDS_BETWEEN_LINES
            ),
        ]


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
        self._settle_hours = self._chance.choice(theme.settle_hours)
        self._event_types: list[str] | None = None
        self.problems: list[str] = []
        self.runs: list[str] = []
        """What happened, for the message of a failed test."""

    def play(self) -> RunHistory:
        """Make runs in which anything may happen, then one and an idle one without."""
        lists = {one for name in self._theme.streams for one in SOURCES.get(name, ())}
        with Sandbox(self.shop) as sandbox:
            self.sandbox = sandbox
            self.changes = Changes(self.shop, self._chance, self._theme.changes)
            self.weather = Weather(
                sandbox, self._chance, self._theme.faults, tuple(sorted(lists)) or LISTS
            )
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
                if self.problems:
                    return self
            self.weather.end()
            self.changes.settle()
            sandbox.remove_callbacks()
            sandbox.rewrite(self.weather.spoil)
            if not self._run(is_killed=False, is_last=True):
                self.problems.append("A healthy run fails.")
            self.weather.end("swapped")
            self._run(is_killed=False)
            self.problems += self._needless_requests()
        return self

    def _begin(self) -> None:
        self._event_types = self._chance.choice(self._theme.event_types)
        entries = self.target.state.get("bookmarks", {})
        phone = [one for one in self._theme.streams if one.startswith("voice")]
        self.weather.begin(
            parents=[*self.shop.tickets.ids(), *self.shop.customers.ids()],
            has_called=all(entries.get(one, {}).get(BOOKMARK) for one in phone),
        )
        # Rows that are hidden from a clock that is ahead can be missed.
        self.changes.may_be_late = "date ahead" not in self.weather.today
        if not self.changes.may_be_late:
            self.changes.settle()

    def _change_sometimes(self, _: Shop, __: Request) -> None:
        gaps = self._theme.gaps if self.changes.may_be_late else (0, 0.001)
        may_change = self.weather.requests < MAX_REQUESTS_WITH_CHANGES
        if may_change and self._chance.random() < self._theme.changing:
            self.changes.make(2, gaps)

    def _run(self, *, is_killed: bool, is_last: bool = False) -> bool:
        """Make a run, and return whether it ended with exit code 0."""
        visible = {name: self._visible(name) for name in self._theme.streams}
        if self._settle_hours and not is_last:
            visible.pop("ticket_messages", None)
        today, state = self.weather.today, self._state()
        has_reports = bool(state.get("bookmarks", {}).get(STATISTICS, {}).get(BOOKMARK))
        output, failed, reason = self._attempt(state)
        self.runs.append(f"{today} {is_killed=} {sorted(failed)} {reason}")
        if state != self.target.state:
            if not failed:
                self.problems.append("A state of the future is accepted.")
            return False
        messages = output.messages
        if is_killed:
            messages = messages[: self._chance.randrange(len(messages) + 1)]
        is_killed |= reason is STOPPED
        self.target.load(messages, dies=is_killed and self._chance.random() < 0.5)
        if is_killed:
            self.weather.expiries = 0
            return False
        for stream, rows in visible.items():
            self._check(stream, self._missing(stream, rows), failed)
        if "reports" in today and has_reports and STATISTICS not in failed:
            self.problems.append("Refused reports are not told.")
        self.weather.expiries = 0
        return not failed

    def _check(self, stream: str, missing: dict[int, str], failed: set[str]) -> None:
        """Check what a stream must have read, whether it failed or not."""
        if stream not in failed:
            self.problems += missing.values()
        elif self.weather.spares(stream):
            self.problems.append(f"run {len(self.runs)}: {stream} fails")
        elif self.weather.spares(stream, rows=True) and stream in LISTED:
            kept = missing.keys() - self.weather.spoiled
            self.problems += [missing[row_id] for row_id in kept]

    def _attempt(self, state: dict[str, Any]) -> tuple[Output, set[str], str]:
        """Run the tap; return what it writes, the streams that fail, and why."""
        self.sandbox.reset_counters()
        theme, today = self._theme, self.weather.today
        clock, catalog = ShopClock(self.shop), _catalog(theme.streams)
        settings = {
            **self.sandbox.config,
            "ticket_messages_settle_hours": self._settle_hours,
            "parallel_streams": theme.parallel_streams,
        }
        if self._event_types:
            settings["event_types"] = self._event_types
        if STATISTICS in theme.streams:
            settings["statistics"] = [QUERY]
        pipe = None
        if not PIPES.isdisjoint(today):
            some = self._chance.uniform(0, 100_000)
            stops_after = some if "stopped target" in today else math.inf
            has_long_lines = "large" in today or "ticket_messages" in theme.streams
            size = LARGE_PIPE if has_long_lines else SMALL_PIPE
            pipe = Pipe(self._chance.randrange(1000), size, stops_after)
        with (
            Log() as log,
            mock.patch.object(HTTPAdapter, "send", self.weather.connecting(SEND)),
            mock.patch("os.write", pipe.write_part if pipe else os.write),
        ):
            failed, reason = set[str](), ""
            try:
                output = run(
                    settings,
                    catalog=catalog,
                    state=state,
                    clock=clock,
                    target=pipe,
                )
            except PartialRun as failure:
                output = failure.output
                failed = failure.failed or set(theme.streams)
                reason = str(failure.__cause__)
            except json.JSONDecodeError:
                self.problems.append("A line of the output is broken.")
                output, failed, reason = Output([]), set(theme.streams), STOPPED
            except Terminated:
                assert pipe
                output = Output.parse(text_of(pipe))
                failed, reason = set(theme.streams), STOPPED
        if pipe and (pipe.is_late or not text_of(pipe).endswith("\n")):
            self.problems.append("The output does not end in time with a whole line.")
        self.problems += log.problems(clock.now - clock.started)
        held_back = sum(one for one in clock.sleeps if one <= MAX_SLEEP_SECONDS)
        if theme.parallel_streams == 1 and held_back > MAX_HELD_BACK:
            self.problems.append(f"The rate limiter holds requests for {held_back} s.")
        return output, failed, reason

    def _state(self) -> dict[str, Any]:
        """Return the STATE of the next run, which another program may have changed."""
        state = copy.deepcopy(self.target.state)
        if "state ahead" in self.weather.today:
            ahead = iso(self.shop.timestamp + self._chance.randrange(1, 24) * HOUR)
            for entry in state.get("bookmarks", {}).values():
                entry[BOOKMARK] = entry[BOOKMARK] and ahead
        return state

    def _visible(self, stream: str) -> Versions:
        """Return the rows that a stream can read now."""
        name = COLLECTIONS.get(stream, stream)
        types = self._event_types if stream == "events" else None
        rows = getattr(self.shop, name).rows() if stream != STATISTICS else ()
        return {
            row["id"]: (version_of(row.get(FIELDS.get(name, ""))), self._changed(row))
            for row in rows
            if stream != "deletions" or row["type"].endswith(DELETED)
            if types is None or row["type"] in types
        }

    def _changed(self, row: dict[str, Any]) -> str | None:
        """Return when a row moved in the list in which the tap finds it."""
        if "body_text" in row and row["ticket_id"] in self.shop.tickets:
            row = self.shop.tickets.row(row["ticket_id"])
        changed: str | None = row.get("updated_datetime")
        return changed

    def _missing(self, stream: str, rows: Versions) -> dict[int, str]:
        """Describe the rows that stood still during a run, and have not come."""
        field_name = FIELDS.get(COLLECTIONS.get(stream, stream), "")
        loaded = self.target.rows.get(stream, {})
        after = self._visible(stream)
        missing = {}
        for row_id, (version, changed) in rows.items():
            if row_id not in after or after[row_id][1] != changed:
                continue
            text = loaded.get(row_id, {}).get(field_name)
            if row_id not in loaded or version_of(text) < version:
                place = f"run {len(self.runs)}: {stream} {row_id} {changed}"
                missing[row_id] = place
        return missing

    def _needless_requests(self) -> list[str]:
        """Describe what an idle run has asked for although it cannot have changed."""
        requests = self.sandbox.requests
        asked = {parent_of(request) for request in requests} - {None}
        lists = sum(not parent_of(request) for request in requests)
        most = 4 * len(self._theme.streams)
        for path in (
            path for one in self._theme.streams for path in SOURCES.get(one, ())
        ):
            rows: Collection = getattr(self.shop, path.rpartition("/")[2])
            most += len(rows) // (GorgiasStream.page_size or 1)
        few = asked <= self._changed_lately()
        return [] if few and lists <= most else [f"{lists} requests of lists, {asked}"]

    def _changed_lately(self) -> set[int]:
        lately = set()
        for rows in (self.shop.tickets, self.shop.customers):
            changed = {
                one["id"]: micros(one["updated_datetime"]) for one in rows.rows()
            }
            past = [one for one in changed.values() if one <= self.shop.timestamp]
            since = max(past) - 10 * MINUTE
            lately |= {row_id for row_id, one in changed.items() if one >= since}
        return lately


@lru_cache
def _catalog(streams: tuple[str, ...]) -> dict[str, Any]:
    config = {**CREDENTIALS, "statistics": [QUERY]} if STATISTICS in streams else None
    return small_catalog(*streams, config=config)
