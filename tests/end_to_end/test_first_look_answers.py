"""The results of `--test` for each stream, and their cost in requests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_gorgias.errors import ApiError
from tap_gorgias.first_look.looking import FirstLook, Verdict
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Fault, Sandbox, Shop, surprises
from tests.sandbox.answers import Refusal
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.first_look.looking import Look
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.base import GorgiasStream
    from tests.sandbox import Request

ALWAYS = 1_000_000


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of each large list."""
    return Shop(seed=8, tickets=250, customers=150, events=1_500)


def looks_at(
    sandbox: Sandbox, *streams: str, clock: FakeClock | None = None, **settings: Any
) -> dict[str, Look]:
    """Look at streams in this process, on a fake clock."""

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
    """Return the texts of the findings."""
    return [surprise.text for surprise in look.surprises]


def test_no_page_is_requested_twice(sandbox: Sandbox) -> None:
    """A child reuses the answers that its parent's look has received."""
    names = [stream.name for stream in STREAMS]

    looks_at(sandbox, *names)

    requested = Counter(
        (one.path, repr(sorted(one.query.items()))) for one in sandbox.requests
    )
    assert requested.most_common(1)[0][1] == 1
    of_reads = sum(len(getattr(stream, "parts", [0])) for stream in STREAMS)
    followed = {one.path for one in sandbox.requests if "cursor" in one.query}
    assert len(requested) == of_reads + len(followed)


@pytest.mark.parametrize(
    ("surprise", "stream", "verdict", "finding"),
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
def test_each_deviation_is_reported(
    sandbox: Sandbox,
    surprise: Callable[[Sandbox], None],
    stream: str,
    verdict: Verdict,
    finding: str,
) -> None:
    """The findings name the fields and parameters concerned."""
    assert texts_of(looks_at(sandbox, stream)[stream]) == []
    surprise(sandbox)

    look = looks_at(sandbox, stream)[stream]

    assert look.verdict == verdict
    assert finding in texts_of(look)


def test_an_outage_does_not_take_five_minutes_for_each_stream(sandbox: Sandbox) -> None:
    """The first stream takes half a minute, and each other one a single attempt."""
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


def test_an_unreachable_host_is_reported_in_one_line(sandbox: Sandbox) -> None:
    """A table would repeat the error for each stream."""
    sandbox.faults.add(Fault.reset(), times=ALWAYS)
    with pytest.raises(ApiError, match="account: /api/account failed: the connection"):
        looks_at(sandbox, "account", "tickets")


def test_a_429_is_waited_for(sandbox: Sandbox) -> None:
    """It is not reported as a refusal."""
    sandbox.faults.add(Fault.too_many_requests(9), "/api/tags")

    look = looks_at(sandbox, "tags")["tags"]

    assert look.verdict == Verdict.OK
    assert look.requests == 2


def test_an_account_without_phone_has_no_findings(sandbox: Sandbox) -> None:
    """Its runs end with exit code 0, too."""
    sandbox.phone = 403

    look = looks_at(sandbox, "account", "voice_calls")["voice_calls"]

    assert look.verdict == Verdict.NO_ROWS
    assert look.reason.startswith("403, probably because the account has no phone.")


def test_a_child_tries_another_parent_if_the_first_was_deleted(
    sandbox: Sandbox,
) -> None:
    """Tickets may be deleted at any time."""
    sandbox.faults.add(Fault.error(404), "/api/tickets/*")

    look = looks_at(sandbox, "ticket_details")["ticket_details"]

    assert look.verdict == Verdict.OK
    assert look.requests == 3


def test_a_child_is_refused_if_three_parents_are(sandbox: Sandbox) -> None:
    """Further parents are not tried."""
    sandbox.faults.add(Fault.error(403), "/api/views/*", times=ALWAYS)

    look = looks_at(sandbox, "view_items")["view_items"]

    assert look.verdict == Verdict.REFUSED
    assert look.reason == "403, needs `tickets:read`."
    assert look.requests == 1 + 3


def test_a_refusal_with_a_fallback_is_reported(sandbox: Sandbox) -> None:
    """Reading all events to find the deletions costs many requests."""

    def refuse(_: Shop, request: Request) -> None:
        if "types" in request.query:
            data = {"types": ["Not a valid choice."]}
            raise Refusal(400, "Invalid query parameters.", data)

    sandbox.before_request(refuse)

    look = looks_at(sandbox, "deletions")["deletions"]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look)[0] == "refused with 400: `types`."


def test_an_ignored_cursor_is_reported(sandbox: Sandbox) -> None:
    """Every page would be the first one."""
    sandbox.ignored.add(("/api/messages", "cursor"))

    look = looks_at(sandbox, "messages")["messages"]

    assert look.verdict == Verdict.NOT_AS_EXPECTED
    assert texts_of(look) == ["`cursor` is ignored: the second page repeats the first."]


def test_unreadable_date_times_are_reported(sandbox: Sandbox) -> None:
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


def test_missing_figures_of_a_report_are_reported(sandbox: Sandbox) -> None:
    """The requested columns would be null."""

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
def test_an_unreadable_answer_is_reported_and_the_next_stream_tested(
    sandbox: Sandbox, rubbish: object
) -> None:
    """No answer ends more than the look at its own stream."""
    sandbox.faults.add(Fault.rewrite(lambda _: rubbish), "/api/tags", times=ALWAYS)

    looks = looks_at(sandbox, "tags", "tickets", "ticket_details")

    assert looks["tags"].verdict == Verdict.NOT_AS_EXPECTED
    assert looks["tickets"].verdict == Verdict.OK


@pytest.mark.parametrize("stream", ["tickets", "views"])
def test_parents_without_ids_do_not_stop_the_test(
    sandbox: Sandbox, stream: str
) -> None:
    """Their children cannot be requested, which is reported."""
    child = {"tickets": "ticket_details", "views": "view_items"}[stream]

    def without_ids(answer: Row) -> Row:
        return {**answer, "data": [{"created_datetime": None}]}

    sandbox.faults.add(Fault.rewrite(without_ids), f"/api/{stream}", times=ALWAYS)

    looks = looks_at(sandbox, child, "tags", stream)

    assert looks[child].verdict == Verdict.NOT_AS_EXPECTED
    assert "missing keys: `id`" in " ".join(texts_of(looks[stream]))
    assert looks["tags"].verdict == Verdict.OK
