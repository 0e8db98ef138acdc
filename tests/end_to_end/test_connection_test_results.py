"""The results of `--test` for each stream, and their cost in requests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_gorgias.connection_test.results import Outcome
from tap_gorgias.connection_test.tester import ConnectionTest
from tap_gorgias.errors import AccessError
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Fault, Sandbox, Shop, deviations
from tests.sandbox.answers import Refusal
from tests.support.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gorgias.connection_test.results import StreamResult
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.stream_types.base import GorgiasStream
    from tests.sandbox import Request

ALWAYS = 1_000_000


@pytest.fixture
def shop() -> Shop:
    """A shop with several pages of each large list."""
    return Shop(seed=8, tickets=250, customers=150, events=1_500)


def results_of(
    sandbox: Sandbox, *streams: str, clock: FakeClock | None = None, **settings: Any
) -> dict[str, StreamResult]:
    """Test streams in this process, on a fake clock."""

    class Tap(TapGorgias):
        """The tap on the fake clock."""

    Tap.clock = clock or FakeClock()
    tap = Tap(config={**sandbox.config, **settings})
    chosen = [cast("GorgiasStream", tap.streams[name]) for name in streams]
    try:
        results = ConnectionTest(tap.run).check(chosen)
        return {result.stream: result for result in results}
    finally:
        tap.run.close()


def texts_of(result: StreamResult) -> list[str]:
    """Return the texts of the differences."""
    return [difference.text for difference in result.differences]


def test_no_page_is_requested_twice(sandbox: Sandbox) -> None:
    """A child stream reuses the responses of its parent."""
    names = [stream.name for stream in STREAMS]

    results_of(sandbox, *names)

    requested = Counter(
        (one.path, repr(sorted(one.query.items()))) for one in sandbox.requests
    )
    assert requested.most_common(1)[0][1] == 1
    of_reads = sum(len(getattr(stream, "parts", [0])) for stream in STREAMS)
    followed = {one.path for one in sandbox.requests if "cursor" in one.query}
    assert len(requested) == of_reads + len(followed)


@pytest.mark.parametrize(
    ("deviate", "stream", "outcome", "difference"),
    [
        (
            deviations.refused_parameter,
            "customers",
            Outcome.REFUSED,
            "refused with 400: `order_by`.",
        ),
        (
            deviations.ignored_parameter,
            "rules",
            Outcome.NOT_AS_EXPECTED,
            "missing from the `uri` in the response: `limit`.",
        ),
        (
            deviations.ignored_filter,
            "deletions",
            Outcome.NOT_AS_EXPECTED,
            "`types` is ignored: the page has other rows too.",
        ),
        (
            deviations.other_order,
            "satisfaction_surveys",
            Outcome.NOT_AS_EXPECTED,
            "not in the requested order, `created_datetime:desc`.",
        ),
        (
            deviations.unknown_field,
            "tickets",
            Outcome.OK,
            "unknown fields: `brand_new`.",
        ),
        (
            deviations.missing_field,
            "teams",
            Outcome.OK,
            "missing fields, whose columns are null: `description`.",
        ),
        (
            deviations.other_date_form,
            "users",
            Outcome.OK,
            "date-times in the format 0000-00-00T00:00:00: `created_datetime`.",
        ),
        (
            deviations.bare_array,
            "views",
            Outcome.NOT_AS_EXPECTED,
            "a bare array, without `data` and `meta`.",
        ),
        (
            deviations.missing_cursor,
            "jobs",
            Outcome.NOT_AS_EXPECTED,
            "`next_cursor` is missing from `meta`.",
        ),
    ],
)
def test_each_deviation_is_reported(
    sandbox: Sandbox,
    deviate: Callable[[Sandbox], None],
    stream: str,
    outcome: Outcome,
    difference: str,
) -> None:
    """The differences name the fields and parameters concerned."""
    assert texts_of(results_of(sandbox, stream)[stream]) == []
    deviate(sandbox)

    result = results_of(sandbox, stream)[stream]

    assert result.outcome == outcome
    assert difference in texts_of(result)


def test_an_outage_does_not_take_five_minutes_for_each_stream(sandbox: Sandbox) -> None:
    """The first stream takes half a minute, and each other one a single attempt."""
    sandbox.faults.add(Fault.error(503), after=1, times=ALWAYS)
    clock = FakeClock()

    results = results_of(sandbox, "account", "events", "tags", "tickets", clock=clock)

    assert [result.outcome for result in results.values()] == [
        Outcome.OK,
        *[Outcome.REFUSED] * 3,
    ]
    assert results["tickets"].reason == "503, Service Unavailable."
    assert results["tickets"].requests == 1
    assert sum(clock.sleeps) < 40


def test_an_unreachable_host_is_reported_in_one_line(sandbox: Sandbox) -> None:
    """A table would repeat the error for each stream."""
    sandbox.faults.add(Fault.reset(), times=ALWAYS)
    with pytest.raises(AccessError, match=": /api/account failed: the connection"):
        results_of(sandbox, "account", "tickets")


def test_a_request_is_sent_again_after_a_429(sandbox: Sandbox) -> None:
    """The rate limit does not count as a refusal."""
    sandbox.faults.add(Fault.too_many_requests(9), "/api/tags")

    result = results_of(sandbox, "tags")["tags"]

    assert result.outcome == Outcome.OK
    assert result.requests == 2


def test_an_account_without_phone_passes(sandbox: Sandbox) -> None:
    """Its runs also end with exit code 0."""
    sandbox.phone = 403

    result = results_of(sandbox, "account", "voice_calls")["voice_calls"]

    assert result.outcome == Outcome.NO_ROWS
    assert result.reason.startswith("403, probably because the account has no phone.")


def test_a_child_tries_another_parent_if_the_first_was_deleted(
    sandbox: Sandbox,
) -> None:
    """Tickets may be deleted at any time."""
    sandbox.faults.add(Fault.error(404), "/api/tickets/*")

    result = results_of(sandbox, "ticket_details")["ticket_details"]

    assert result.outcome == Outcome.OK
    assert result.requests == 3


def test_a_child_is_refused_if_three_parents_are(sandbox: Sandbox) -> None:
    """Further parents are not tried."""
    sandbox.faults.add(Fault.error(403), "/api/views/*", times=ALWAYS)

    result = results_of(sandbox, "view_items")["view_items"]

    assert result.outcome == Outcome.REFUSED
    assert result.reason == "403, needs `tickets:read`."
    assert result.requests == 1 + 3


def test_a_refused_parameter_is_reported_despite_a_fallback(
    sandbox: Sandbox,
) -> None:
    """Without `types`, finding the deletions takes a request for each 100 events."""

    def refuse(_: Shop, request: Request) -> None:
        if "types" in request.query:
            data = {"types": ["Not a valid choice."]}
            raise Refusal(400, "Invalid query parameters.", data)

    sandbox.before_request(refuse)

    result = results_of(sandbox, "deletions")["deletions"]

    assert result.outcome == Outcome.NOT_AS_EXPECTED
    assert texts_of(result)[0] == "refused with 400: `types`."


def test_an_ignored_cursor_is_reported(sandbox: Sandbox) -> None:
    """Every page would be the first one."""
    sandbox.ignored.add(("/api/messages", "cursor"))

    result = results_of(sandbox, "messages")["messages"]

    assert result.outcome == Outcome.NOT_AS_EXPECTED
    assert texts_of(result) == [
        "`cursor` is ignored: the second page repeats the first."
    ]


@pytest.mark.parametrize(
    ("stream", "order"),
    [
        ("voice_calls", "created_datetime:desc"),
        ("voice_call_events", "created_datetime:asc"),
    ],
)
def test_a_list_in_an_unexpected_order_is_reported(
    sandbox: Sandbox, stream: str, order: str
) -> None:
    """These endpoints have no parameter for the order."""
    path = f"/api/phone/{stream.replace('_', '-')}"

    def reverse(body: Row) -> Row:
        return {**body, "data": body["data"][::-1]}

    assert texts_of(results_of(sandbox, stream)[stream]) == []
    sandbox.faults.add(Fault.rewrite(reverse), path, times=ALWAYS)

    result = results_of(sandbox, stream)[stream]

    assert result.outcome == Outcome.NOT_AS_EXPECTED
    assert texts_of(result) == [f"not in the expected order, `{order}`."]


@pytest.mark.parametrize(
    ("minutes", "differences"),
    [(5, []), (6, ["not in the expected order, `created_datetime:asc`."])],
)
def test_call_events_may_be_five_minutes_out_of_order(
    sandbox: Sandbox, minutes: int, differences: list[str]
) -> None:
    """A run allows for that, too."""

    def date(body: Row) -> Row:
        late, early = "2026-08-26T12:10:00Z", f"2026-08-26T12:{10 - minutes:02}:00Z"
        rows = [
            {**row, "created_datetime": text}
            for row, text in zip(body["data"], (late, early), strict=False)
        ]
        return {**body, "data": rows, "meta": {"next_cursor": None}}

    sandbox.faults.add(Fault.rewrite(date), "/api/phone/voice-call-events")

    result = results_of(sandbox, "voice_call_events")["voice_call_events"]

    assert texts_of(result) == differences


def test_unreadable_date_times_are_reported(sandbox: Sandbox) -> None:
    """They would be null in the warehouse."""

    def spoil(answer: Row) -> Row:
        rows = [{**row, "created_datetime": "yesterday"} for row in answer["data"]]
        return {**answer, "data": rows}

    sandbox.faults.add(Fault.rewrite(spoil), "/api/tags", times=ALWAYS)

    result = results_of(sandbox, "tags")["tags"]

    assert result.outcome == Outcome.NOT_AS_EXPECTED
    assert texts_of(result) == [
        "date-times that cannot be parsed and become null: `created_datetime`."
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

    result = results_of(sandbox, name, statistics=["tickets_created"])[name]

    assert result.outcome == Outcome.NOT_AS_EXPECTED
    assert texts_of(result) == [
        "missing from the rows: `ticketCount`.",
        "in the rows, but not requested: `surplus`.",
    ]


@pytest.mark.parametrize(
    "body",
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
def test_an_invalid_response_does_not_stop_the_test(
    sandbox: Sandbox, body: object
) -> None:
    """It is reported for its own stream, and the next stream is tested."""
    sandbox.faults.add(Fault.rewrite(lambda _: body), "/api/tags", times=ALWAYS)

    results = results_of(sandbox, "tags", "tickets", "ticket_details")

    assert results["tags"].outcome == Outcome.NOT_AS_EXPECTED
    assert results["tickets"].outcome == Outcome.OK


@pytest.mark.parametrize("stream", ["tickets", "views"])
def test_parents_without_ids_do_not_stop_the_test(
    sandbox: Sandbox, stream: str
) -> None:
    """The report says that their children cannot be requested."""
    child = {"tickets": "ticket_details", "views": "view_items"}[stream]

    def without_ids(answer: Row) -> Row:
        return {**answer, "data": [{"created_datetime": None}]}

    sandbox.faults.add(Fault.rewrite(without_ids), f"/api/{stream}", times=ALWAYS)

    results = results_of(sandbox, child, "tags", stream)

    assert results[child].outcome == Outcome.NOT_AS_EXPECTED
    assert "missing keys: `id`" in " ".join(texts_of(results[stream]))
    assert results["tags"].outcome == Outcome.OK
