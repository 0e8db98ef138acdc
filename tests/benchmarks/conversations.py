"""The cost of tickets and messages: first syncs, settling, kills and imports."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from tap_gorgias.replication.walks import OVERLAP
from tests.benchmarks.process import tap, tap_killed
from tests.benchmarks.result import Result
from tests.sandbox import Sandbox, Shop
from tests.support.runs import LOOK_FOR_IMPORTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.support.runs import Output

BOTH = ("tickets", "ticket_messages")
HOUR = 3600
DAY = 24 * HOUR
LAST_YEAR = "2025-01-01T00:00:00+00:00"
PLACES = 8
"""The number of places in which a run is killed."""


def ticket_messages() -> Iterator[Result]:
    """Count the requests of a first sync, of later runs and of settling."""
    shop = Shop(tickets=2_500)
    with Sandbox(shop) as sandbox:
        first, _ = tap(sandbox, *BOTH)
        whole = sandbox.count()
        yield Result(
            f"requests of 2500 tickets with {len(shop.messages)} messages",
            f"{whole}",
            "at most 120",
            whole <= 120,
        )
        for ticket in _spread(shop, 300, HOUR):
            shop.messages.create(ticket)
        second, requests = _counted(sandbox, first.state)
        yield Result(
            "requests after an hour with 300 changed tickets, 300 messages",
            f"{requests}",
            "at most 12",
            requests <= 12,
        )
        shop.advance(HOUR)
        third, requests = _counted(sandbox, second.state)
        yield Result(
            "requests of an idle run",
            f"{requests}",
            f"at most 3 + {LOOK_FOR_IMPORTS}, the look for imports",
            requests <= 3 + LOOK_FOR_IMPORTS,
        )
        for ticket in _spread(shop, 1_500, DAY):
            shop.tickets.update(ticket, status="closed")
        settled, _ = _counted(sandbox, third.state)
        by_ticket = _requests_by_ticket(sandbox)
        both = sandbox.count() - LOOK_FOR_IMPORTS - math.ceil(1_500 / 100)
        yield Result(
            f"requests to settle 1500 changed tickets, {by_ticket} of them by ticket",
            f"{both}",
            "at most 1.05 x 1500",
            both <= 1.05 * 1_500,
        )
        entry = settled.state["bookmarks"]["ticket_messages"]
        yield _size(entry, "when all is read")
        yield from _kills(sandbox, "a first sync", None)
        for ticket in _spread(shop, 200, DAY):
            shop.tickets.update(ticket, status="closed")
        yield from _kills(sandbox, "settling", settled.state)


def _spread(shop: Shop, number: int, seconds: float) -> Iterator[int]:
    """Advance the clock evenly while yielding a number of tickets."""
    for ticket in shop.tickets.ids()[:number]:
        shop.advance(seconds / number)
        yield ticket


def _counted(
    sandbox: Sandbox, state: dict[str, Any] | None, *streams: str
) -> tuple[Output, int]:
    sandbox.reset_counters()
    output, _ = tap(sandbox, *(streams or BOTH), state=state)
    return output, sandbox.count()


def _requests_by_ticket(sandbox: Sandbox) -> int:
    return sum("ticket_id" in request.query for request in sandbox.requests)


def _size(entry: dict[str, Any], when: str) -> Result:
    size = len(json.dumps(entry))
    return Result(f"bytes of STATE, {when}", f"{size}", "below 1000", size < 1_000)


def _kills(
    sandbox: Sandbox, what: str, state: dict[str, Any] | None
) -> Iterator[Result]:
    """Kill a run in several places, and complete it."""
    whole_run, whole = _counted(sandbox, state, "ticket_messages")
    _, idle = _counted(sandbox, whole_run.state, "ticket_messages")
    dearest = 0
    largest: dict[str, Any] = {}
    for place in range(1, PLACES + 1):
        sandbox.reset_counters()
        at = whole * place // (PLACES + 1)
        killed = tap_killed(sandbox, at, "ticket_messages", state=state)
        left = killed.states[-1] if killed.states else state
        tap(sandbox, "ticket_messages", state=left)
        dearest = max(dearest, sandbox.count() - whole - idle)
        for one in killed.states:
            entry = one["bookmarks"]["ticket_messages"]
            largest = max(largest, entry, key=lambda value: len(json.dumps(value)))
    yield Result(
        f"requests paid twice for a kill in {PLACES} places of {what} of {whole}",
        f"{dearest}",
        "at most 3",
        dearest <= 3,
    )
    yield _size(largest, f"the largest while {what} was cut short")


def day() -> Iterator[Result]:
    """Run hourly for a day with changes, imports and merges."""
    shop = Shop(tickets=2_500)
    with Sandbox(shop) as sandbox:
        output, requests = _counted(sandbox, None)
        yield Result("requests of the first sync", f"{requests}")
        seen: dict[str, int] = {}
        waiting: dict[str, Collection[int]] = {}
        for hour in range(1, 26):
            notes = _changes(shop, hour, waiting)
            output, requests = _counted(sandbox, output.state)
            read = set(output.ids("ticket_messages"))
            arrived = [name for name, ids in waiting.items() if read >= set(ids)]
            for name in arrived:
                seen[name] = hour
                del waiting[name]
            if arrived:
                notes.append(f"read: {', '.join(arrived)}")
            yield Result(f"requests of run {hour:2}  {'; '.join(notes)}", f"{requests}")
        latest = max(seen.values(), default=0)
        yield Result(
            "imports and merges whose messages have not come",
            f"{len(waiting)}",
            "0",
            not waiting,
        )
        yield Result("the last of them came with run", f"{latest}")
        entry = output.state["bookmarks"]["ticket_messages"]
        yield _size(entry, "in the evening")
        yield Result(f"STATE: {', '.join(sorted(entry))}", "-")


def _changes(shop: Shop, hour: int, waiting: dict[str, Collection[int]]) -> list[str]:
    """Make an hour's changes; return those that the list does not show."""
    tickets = shop.tickets.ids()
    for ticket in tickets[50 * hour : 50 * hour + 60]:
        shop.advance(HOUR / 60)
        shop.messages.create(ticket)
    changes = []
    if hour % 6 == 3:
        ticket = shop.tickets.import_ticket(LAST_YEAR, messages=3)
        waiting[f"import {hour}"] = shop.messages.of_ticket(ticket)
        changes.append(f"import {hour}")
    if hour % 6 == 5:
        source, target = tickets[7 * hour], tickets[7 * hour + 1]
        waiting[f"merge {hour}"] = shop.messages.of_ticket(source)
        shop.tickets.merge(source, target)
        changes.append(f"merge {hour}")
    return changes


def imports() -> Iterator[Result]:
    """Import 1,000 old tickets after a first sync, and kill the next run."""
    shop = Shop(tickets=2_500)
    with Sandbox(shop) as sandbox:
        first, requests = _counted(sandbox, None, "tickets")
        yield Result("requests of a first sync of 2500 tickets", f"{requests}")
        imported = set()
        for _ in range(1_000):
            shop.advance(0.5)  # An API key allows two requests a second.
            imported.add(shop.tickets.import_ticket(LAST_YEAR))
        second, whole = _counted(sandbox, first.state, "tickets")
        yield _found(imported, second)
        yield Result(
            "requests of the run after it",
            f"{whole}",
            "at most 1 + 10 + 10 + 1",
            whole <= 22,
        )
        # Events of the last 5 minutes are followed again.
        again = math.ceil(OVERLAP.total_seconds() / 0.5 / 100)
        for at in (2, whole // 2, whole - 1):
            sandbox.reset_counters()
            killed = tap_killed(sandbox, at, "tickets", state=first.state)
            left = killed.states[-1] if killed.states else first.state
            rest, _ = tap(sandbox, "tickets", state=left)
            yield _found(imported, killed, rest, f", killed at request {at}")
            yield Result(
                f"requests of both runs, killed at request {at}",
                f"{sandbox.count()}",
                f"at most {whole} + {2 * again} + 3",
                sandbox.count() <= whole + 2 * again + 3,
            )
        for run in ("the run after that", "an idle run"):
            shop.advance(HOUR)
            second, requests = _counted(sandbox, second.state, "tickets")
            most = 2 + (2 * again if run != "an idle run" else 0)
            goal = f"at most {most}"
            yield Result(f"requests of {run}", f"{requests}", goal, requests <= most)


def _found(imported: Collection[int], *outputs: Output | str) -> Result:
    when = "".join(one for one in outputs if isinstance(one, str))
    read = {
        row for one in outputs if not isinstance(one, str) for row in one.ids("tickets")
    }
    found = len(read.intersection(imported))
    goal = f"{len(imported)}"
    return Result(f"imported tickets read{when}", f"{found}", goal, goal == f"{found}")
