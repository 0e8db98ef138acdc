"""What a look at a stream finds out, and what it costs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_gorgias.connection_test.tester import FirstLook, Verdict
from tap_gorgias.errors import ApiError
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Fault, Sandbox, Shop, surprises
from tests.sandbox.answers import Refusal
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_gorgias.connection_test.tester import Look
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.base import GorgiasStream
    from tests.sandbox import Request

ALWAYS = 1_000_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop with several pages of what is large."""
    shop = Shop(seed=8, tickets=250, customers=150, events=1_500)
    with Sandbox(shop) as sandbox:
        yield sandbox


def looks_at(
    sandbox: Sandbox, *streams: str, clock: FakeClock | None = None, **settings: Any
) -> dict[str, Look]:
    """Look at streams in this process, on a clock that needs no waiting."""

    class Tap(TapGorgias):
        """The tap on the fake clock."""

    Tap.clock = clock or FakeClock()
    tap = Tap(config={**sandbox.config, **settings})
    chosen = [cast("GorgiasStream", tap.streams[name]) for name in streams]
    try:
        return {look.stream: look for look in FirstLook(tap.run).at(chosen)}
    finally:
        tap.run.close()


def texts_of(look: Look) -> list[str]:
    """Return what was otherwise than expected."""
    return [surprise.text for surprise in look.surprises]


def test_no_page_is_asked_for_twice(sandbox: Sandbox) -> None:
    """A child asks its parent's list for what is known already."""
    names = [stream.name for stream in STREAMS]

    looks_at(sandbox, *names)

    asked = Counter(
        (one.path, repr(sorted(one.query.items()))) for one in sandbox.requests
    )
    assert asked.most_common(1)[0][1] == 1
    of_reads = sum(len(getattr(stream, "parts", [0])) for stream in STREAMS)
    followed = {one.path for one in sandbox.requests if "cursor" in one.query}
    assert len(asked) == of_reads + len(followed)


@pytest.mark.parametrize(
    ("surprise", "stream", "verdict", "told"),
    [
        (
            surprises.refused_parameter,
            "customers",
            Verdict.REFUSED,
            "refused with 400: `order_by`.",
        ),
        (
            surprises.ignored_parameter,
            "rules",
            Verdict.NOT_AS_EXPECTED,
            "missing in the `uri` that the answer echoes: `limit`.",
        ),
        (
            surprises.ignored_filter,
            "deletions",
            Verdict.NOT_AS_EXPECTED,
            "`types` is ignored: other rows come, too.",
        ),
        (
            surprises.other_order,
            "satisfaction_surveys",
            Verdict.NOT_AS_EXPECTED,
            "not in the order asked for, `created_datetime:desc`.",
        ),
        (
            surprises.unknown_field,
            "tickets",
            Verdict.OK,
            "fields that this version does not know: `brand_new`.",
        ),
        (
            surprises.missing_field,
            "teams",
            Verdict.OK,
            "missing fields, whose columns are null: `description`.",
        ),
        (
            surprises.other_date_form,
            "users",
            Verdict.OK,
            "date-times of the form 0000-00-00T00:00:00: `created_datetime`.",
        ),
        (
            surprises.bare_array,
            "views",
            Verdict.NOT_AS_EXPECTED,
            "a bare array, without `data` and `meta` around it.",
        ),
        (
            surprises.missing_cursor,
            "jobs",
            Verdict.NOT_AS_EXPECTED,
            "`next_cursor` is missing in `meta`.",
        ),
    ],
)
def test_each_surprise_is_told(
    sandbox: Sandbox,
    surprise: Callable[[Sandbox], None],
    stream: str,
    verdict: Verdict,
    told: str,
) -> None:
    """By the names of what is otherwise."""
    assert texts_of(looks_at(sandbox, stream)[stream]) == []
    surprise(sandbox)

    look = looks_at(sandbox, stream)[stream]

    assert look.verdict == verdict
    assert told in texts_of(look)


def test_an_outage_does_not_take_five_minutes_for_each_stream(sandbox: Sandbox) -> None:
    """Half a minute for the first, and one try for each of the others."""
    sandbox.faults.add(Fault.error(503), after=1, times=ALWAYS)
    clock = FakeClock()

    looks = looks_at(sandbox, "account", "events", "tags", "tickets", clock=clock)

    assert [look.verdict for look in looks.values()] == [
        Verdict.OK,
        *[Verdict.REFUSED] * 3,
    ]
    assert looks["tickets"].reason == "503, Service Unavailable."
    assert looks["tickets"].requests == 1
    assert sum(clock.sleeps) < 40


def test_gorgias_out_of_reach_is_one_line(sandbox: Sandbox) -> None:
    """A table would repeat it for each stream."""
    sandbox.faults.add(Fault.reset(), times=ALWAYS)
    with pytest.raises(ApiError, match="account: /api/account failed: the connection"):
        looks_at(sandbox, "account", "tickets")


def test_a_full_budget_is_waited_for(sandbox: Sandbox) -> None:
    """A 429 is no refusal."""
    sandbox.faults.add(Fault.too_many_requests(9), "/api/tags")

    look = looks_at(sandbox, "tags")["tags"]

    assert look.verdict == Verdict.OK
    assert look.requests == 2


def test_an_account_without_phone_is_well(sandbox: Sandbox) -> None:
    """Its runs end with exit code 0, too."""
    sandbox.phone = 403

    look = looks_at(sandbox, "account", "voice_calls")["voice_calls"]

    assert look.verdict == Verdict.NO_ROWS
    assert look.reason.startswith("403, probably because the account has no phone.")


def test_a_child_asks_for_another_parent_if_the_first_is_gone(sandbox: Sandbox) -> None:
    """Tickets are deleted all the time."""
    sandbox.faults.add(Fault.error(404), "/api/tickets/*")

    look = looks_at(sandbox, "ticket_details")["ticket_details"]

    assert look.verdict == Verdict.OK
    assert look.requests == 3


def test_a_child_of_which_all_is_refused_is_refused(sandbox: Sandbox) -> None:
    """Three parents are enough to know."""
    sandbox.faults.add(Fault.error(403), "/api/views/*", times=ALWAYS)

    look = looks_at(sandbox, "view_items")["view_items"]

    assert look.verdict == Verdict.REFUSED
    assert look.reason == "403, needs `tickets:read`."
    assert look.requests == 1 + 3


def test_a_refusal_that_a_stream_copes_with_is_told(sandbox: Sandbox) -> None:
    """Reading all events to find the deletions costs many requests."""

    def refuse(_: Shop, request: Request) -> None:
        if "types" in request.query:
            data = {"types": ["Not a valid choice."]}
            raise Refusal(400, "Invalid query parameters.", data)

    sandbox.before_request(refuse)

    look = looks_at(sandbox, "deletions")["deletions"]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look)[0] == "refused with 400: `types`."


def test_a_cursor_that_is_ignored_is_told(sandbox: Sandbox) -> None:
    """The second page would be the first for ever."""
    sandbox.ignored.add(("/api/messages", "cursor"))

    look = looks_at(sandbox, "messages")["messages"]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look) == ["`cursor` is ignored: the second page repeats the first."]


def test_date_times_that_cannot_be_read_are_not_as_expected(sandbox: Sandbox) -> None:
    """They would be null in the warehouse."""

    def spoil(answer: Row) -> Row:
        rows = [{**row, "created_datetime": "yesterday"} for row in answer["data"]]
        return {**answer, "data": rows}

    sandbox.faults.add(Fault.rewrite(spoil), "/api/tags", times=ALWAYS)

    look = looks_at(sandbox, "tags")["tags"]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look) == [
        "date-times that cannot be read, and become null: `created_datetime`."
    ]


def test_figures_that_a_report_leaves_out_are_told(sandbox: Sandbox) -> None:
    """The columns that somebody asked for would be null."""

    def leave_out(answer: Row) -> Row:
        rows = [{**row, "surplus": 1} for row in answer["data"]]
        for row in rows:
            del row["ticketCount"]
        return {**answer, "data": rows}

    path = "/api/reporting/stats"
    sandbox.faults.add(Fault.rewrite(leave_out), path, times=ALWAYS)
    name = "statistics_tickets_created"

    look = looks_at(sandbox, name, statistics=["tickets_created"])[name]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look) == [
        "missing in the rows: `ticketCount`.",
        "not asked for, but in the rows: `surplus`.",
    ]


@pytest.mark.parametrize(
    "rubbish",
    [
        5,
        "text",
        [1, 2],
        {"data": 5, "meta": {"next_cursor": None}},
        {"data": {"id": 1}, "meta": {"next_cursor": None}},
        {"data": [5], "meta": {"next_cursor": None}},
        {"data": [], "meta": 5},
        {"data": [], "meta": {"next_cursor": 5}},
        {"data": [{"created_datetime": [5]}], "meta": {"next_cursor": None}},
        {"uri": "http://[?", "data": [{}], "meta": {}},
    ],
    ids=repr,
)
def test_rubbish_is_told_and_the_next_stream_looked_at(
    sandbox: Sandbox, rubbish: object
) -> None:
    """Whatever the answer is, it ends nothing but the look at its stream."""
    sandbox.faults.add(Fault.rewrite(lambda _: rubbish), "/api/tags", times=ALWAYS)

    looks = looks_at(sandbox, "tags", "tickets", "ticket_details")

    assert looks["tags"].verdict == Verdict.NOT_AS_EXPECTED
    assert looks["tickets"].verdict == Verdict.OK


@pytest.mark.parametrize("stream", ["tickets", "views"])
def test_parents_without_ids_are_no_reason_to_stop(
    sandbox: Sandbox, stream: str
) -> None:
    """Their children cannot be asked for, and that is told."""
    child = {"tickets": "ticket_details", "views": "view_items"}[stream]

    def without_ids(answer: Row) -> Row:
        return {**answer, "data": [{"created_datetime": None}]}

    sandbox.faults.add(Fault.rewrite(without_ids), f"/api/{stream}", times=ALWAYS)

    looks = looks_at(sandbox, child, "tags", stream)

    assert looks[child].verdict == Verdict.NOT_AS_EXPECTED
    assert "missing keys: `id`" in " ".join(texts_of(looks[stream]))
    assert looks["tags"].verdict == Verdict.OK
