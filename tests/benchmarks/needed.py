"""The number of requests that the tap needs, and its losses when they fail."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.benchmarks.process import tap
from tests.benchmarks.result import Result
from tests.sandbox import Fault, Sandbox, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

FEEDS = ("customers", "events", "messages", "satisfaction_surveys", "tickets")


def requests() -> Iterator[Result]:
    """Compare the number of requests with the minimum that the API allows."""
    yield from first_sync_and_idle_run()
    yield from idle_run_of_a_medium_shop()


def first_sync_and_idle_run() -> Iterator[Result]:
    """Count requests without any failures."""
    shop = Shop(tickets=2_000, customers=1_500, events=4_000, satisfaction_surveys=400)
    with Sandbox(shop) as sandbox:
        output, _ = tap(sandbox, *FEEDS)
        rows = [len(output.records(stream)) for stream in FEEDS]
        minimum = sum(math.ceil(count / 100) for count in rows)
        requests = sandbox.count()
        yield Result(
            f"requests of a first sync of {sum(rows)} rows",
            f"{requests}",
            f"at most 1.02 x {minimum} + {len(FEEDS)}",
            requests <= 1.02 * minimum + len(FEEDS),
        )
        sandbox.reset_counters()
        again, _ = tap(sandbox, *FEEDS, state=output.state)
        for stream in FEEDS:
            requests = sandbox.count(f"/api/{stream.replace('_', '-')}")
            pages = max(math.ceil(len(again.records(stream)) / 100), 1)
            extra = "the look-back" if pages > 1 else ""
            if stream == "events":
                extra = "for imported tickets"
            yield Result(
                f"requests of an idle run, {stream}",
                f"{requests}",
                f"{pages} + 1, {extra}" if extra else f"{pages}",
                requests <= pages + bool(extra),
            )


def idle_run_of_a_medium_shop() -> Iterator[Result]:
    """Count requests of an idle run with the default selection."""
    shop = Shop(users=137, tags=205, voice_calls=300)
    for collection, size in ((shop.macros, 120), (shop.integrations, 109)):
        while len(collection) < size:
            collection.create()
    with Sandbox(shop) as sandbox:
        first, _ = tap(sandbox)
        sandbox.reset_counters()
        tap(sandbox, state=first.state)
        yield Result(
            "requests of an idle run, default selection, middling shop",
            f"{sandbox.count()}",
            "at most 45",
            sandbox.count() <= 45,
        )


def faults() -> Iterator[Result]:
    """Read through twenty faults in sixty requests, in real time."""
    kinds = [
        Fault.error(500),
        Fault.error(502, html=True),
        Fault.too_many_requests(1),
        Fault.too_many_requests(None),
        Fault.reset(),
        Fault.cut(),
        Fault.html_page(),
        Fault.truncated_json(),
    ]
    streams = ("customers", "events", "tickets")
    shop = Shop(tickets=2_000, customers=1_000, events=1_000)
    with Sandbox(shop) as sandbox:
        sandbox.faults.spread(kinds, seed=1, every=3, times=20)
        output, _ = tap(sandbox, *streams)
        lost = sum(
            len(set(getattr(shop, stream).ids()) - set(output.ids(stream)))
            for stream in streams
        )
        yield Result(
            f"rows lost, 20 faults in {sandbox.count()} requests",
            f"{lost}",
            "0",
            lost == 0,
        )
