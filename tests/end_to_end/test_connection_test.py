"""`--test` reports how Gorgias answers for all selected streams, and shows no data."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.config.statistics import PRESETS
from tap_gorgias.streams import STREAMS
from tests.end_to_end.test_secrecy import loud, secrets_of, words_of
from tests.sandbox import Fault, Sandbox, Shop, deviations
from tests.sandbox.answers import Answer
from tests.sandbox.limiter import SlidingWindow
from tests.support.runs import Files, catalog_of, everything, run_command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tap_gorgias.replication.pages import Row


LAST_LINE = "This text contains no account data. You can paste it into an issue."
ALWAYS = 1_000_000


@pytest.fixture
def shop() -> Shop:
    """A shop that is open today, with several pages of each large list."""
    now = datetime.now(timezone.utc).isoformat()
    return Shop(seed=8, now=now, tickets=250, customers=150, events=1_500)


def check(
    sandbox: Sandbox, folder: Path, *streams: str, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run `--test` with a catalog of some streams."""
    config = {**sandbox.config, **settings}
    with_streams = config if "statistics" in config else None
    catalog = catalog_of(*streams, config=with_streams)
    return run_command([*Files(folder).arguments(config, catalog=catalog), "--test"])


def report_of(result: subprocess.CompletedProcess[str]) -> str:
    """Return the report, which a user would paste."""
    start = result.stderr.index("\ntap-gorgias ") + 1
    return result.stderr[start:]


def outcomes_in(report: str) -> dict[str, str]:
    """Return the outcome of each stream."""
    return dict(
        re.findall(
            r"^(\w+) +(ok|no rows|refused|not as expected)\b", report, re.MULTILINE
        )
    )


def test_all_streams_are_ok_when_gorgias_answers_as_documented(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """So are all presets. No request is refused, and stdout stays empty."""
    sandbox.limiter = SlidingWindow(80, 20)
    config = {**sandbox.oauth_config, "statistics": sorted(PRESETS)}
    command = Files(tmp_path).arguments(config, catalog=everything(config))

    result = run_command([*command, "--test"])

    report = report_of(result)
    assert result.returncode == 0, report
    assert result.stdout == ""
    names = {stream.name for stream in STREAMS}
    names |= {f"statistics_{name}" for name in PRESETS}
    assert outcomes_in(report) == dict.fromkeys(names, "ok")
    assert "Differences from what this version expects:\n- none.\n" in report
    assert re.search(
        r"- Call limit: \d+/80 in .*, the limit for an OAuth2 app\.\n", report
    )
    assert report.endswith(f"\n{LAST_LINE}\n")
    assert (
        f"{len(names)} streams: {len(names)} ok; {sandbox.count()} requests, " in report
    )
    assert sandbox.count(status=200) == sandbox.count()


def test_all_differences_are_listed_in_one_report(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The test does not stop at the first one, and exits with code 1."""
    for deviate in deviations.DEVIATIONS:
        deviate(sandbox)
    config = {**sandbox.config, "statistics": sorted(PRESETS)}
    command = Files(tmp_path).arguments(config, catalog=everything(config))

    result = run_command([*command, "--test"])

    report = report_of(result)
    assert result.returncode == 1
    assert len(outcomes_in(report)) == len(STREAMS) + len(PRESETS)
    _, _, differences = report.partition("from what this version expects:\n")
    assert differences == (
        "- customers, customer_details: refused with 400: `order_by`.\n"
        "- deletions: missing from the `uri` in the response: `types`.\n"
        "- deletions: `types` is ignored: the page has other rows too.\n"
        "- jobs: `next_cursor` is missing from `meta`.\n"
        "- rules: missing from the `uri` in the response: `limit`.\n"
        "- satisfaction_surveys: not in the requested order, `created_datetime:desc`.\n"
        "- teams: missing fields, whose columns are null: `description`.\n"
        "- tickets: unknown fields: `brand_new`.\n"
        "- users: date-times in the format 0000-00-00T00:00:00: `created_datetime`.\n"
        "- views, view_items: a bare array, without `data` and `meta`.\n"
        "- Call limit: 3/200 in the last 20 s, which is undocumented; 40 was "
        "expected.\n"
        f"\n{LAST_LINE}\n"
    )


def test_harmless_differences_do_not_fail_the_test(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Gorgias adds fields every year, and a run reads the known ones."""
    deviations.unknown_field(sandbox)
    deviations.missing_field(sandbox)
    deviations.other_call_limit(sandbox)

    result = check(sandbox, tmp_path, "account", "teams", "tickets")

    assert result.returncode == 0
    assert "`brand_new`" in report_of(result)


def test_a_refused_stream_is_listed_among_the_others(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its line names the permission that it needs."""
    sandbox.forbidden.add("events")

    result = check(sandbox, tmp_path, "account", "events", "tickets")

    report = report_of(result)
    assert result.returncode == 1
    assert outcomes_in(report) == {
        "account": "ok",
        "events": "refused",
        "tickets": "ok",
    }
    assert "refused: 403, needs `events:read`." in report
    assert "3 streams: 2 ok, 1 refused; " in report


def test_a_wrong_key_is_reported_in_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    """The error affects all streams, so there is no table."""
    result = check(sandbox, tmp_path, "account", "tickets", api_key="wrong")

    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert "answered 401" in errors[0]
    assert LAST_LINE not in result.stderr
    assert sandbox.count() == 2


@pytest.mark.parametrize("status", [302, 404])
def test_a_wrong_subdomain_is_reported_in_one_line(
    sandbox: Sandbox, tmp_path: Path, status: int
) -> None:
    """The web site of Gorgias answers instead of a helpdesk."""
    page = Answer(status, body=b"<html></html>", content_type="text/html")
    sandbox.faults.add(Fault("web page", lambda _: page), times=ALWAYS)

    result = check(sandbox, tmp_path, "account", "tickets")

    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert errors[0].endswith("Check `subdomain`.")
    assert sandbox.count() == 1


def test_an_empty_list_is_reported(tmp_path: Path) -> None:
    """The account may have no rows, or the owner of the key may not see them."""
    now = datetime.now(timezone.utc).isoformat()
    with Sandbox(Shop(now=now, voice_calls=0)) as sandbox:
        result = check(sandbox, tmp_path, "account", "voice_calls")

    assert result.returncode == 0
    assert outcomes_in(report_of(result)) == {"account": "ok", "voice_calls": "no rows"}


def test_the_default_selection_is_tested_without_a_catalog(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A run reads the same streams."""
    result = run_command([*Files(tmp_path).arguments(sandbox.config), "--test"])

    names = {stream.name for stream in STREAMS if stream.selected_by_default}
    assert outcomes_in(report_of(result)).keys() == names


def test_an_unexpected_call_limit_is_reported(sandbox: Sandbox, tmp_path: Path) -> None:
    """It does not fail the test, because the tap adapts to any limit."""
    sandbox.limiter = SlidingWindow(40, 20)
    command = Files(tmp_path).arguments(sandbox.oauth_config, ["tags", "tickets"])

    result = run_command([*command, "--test"])

    report = report_of(result)
    assert result.returncode == 0
    assert "signed in with OAuth2" in report
    assert (
        "/40 in the last 20 s, the limit for an API key; 80 was expected.\n" in report
    )
    assert f"; {sandbox.count()} requests, " in report


def test_names_and_reasons_fit_into_100_columns(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Names from responses may be long and contain any characters."""
    names = [f"{'long_' * 40}{number}\n\x1b[31m`" for number in range(40)]

    def extend(answer: Row) -> Row:
        rows = [{**row, **dict.fromkeys(names, 1)} for row in answer["data"]]
        return {**answer, "data": rows}

    sandbox.faults.add(Fault.rewrite(extend), "/api/tags", times=ALWAYS)
    sandbox.phone = None
    query = {"name": "q" * 50, "scope": "tickets-created", "measures": ["ticketCount"]}
    streams = ["account", "tags", "voice_calls", f"statistics_{'q' * 50}"]

    result = check(sandbox, tmp_path, *streams, statistics=[query])

    report = report_of(result)
    assert result.returncode == 0
    assert max(map(len, report.splitlines())) <= 100
    assert all(sign.isprintable() or sign == "\n" for sign in report)
    assert " and 28 more." in report


@pytest.mark.usefixtures("_debugging")
@pytest.mark.parametrize("way", ["API key", "OAuth2"])
def test_no_data_is_shown(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    """Nor do the logs of libraries contain any, whatever Gorgias answers."""
    for deviate in deviations.DEVIATIONS:
        deviate(sandbox)
    config = sandbox.config if way == "API key" else sandbox.oauth_config
    command = Files(tmp_path).arguments(config, catalog=everything())

    result = loud("nothing", command, "--test")

    assert result.stdout == ""
    assert "DEBUG" in result.stderr
    hidden = secrets_of(sandbox) | words_of(sandbox)
    assert [one for one in hidden if one in result.stderr] == []
    assert "A secret." not in result.stderr


@pytest.fixture
def _debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log at level DEBUG."""
    monkeypatch.setenv("LOGLEVEL", "DEBUG")


def test_error_messages_of_gorgias_are_not_shown(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """They may contain data of a customer."""
    message = "Jane Doe <jane@example.com> may not see ticket 4711, order_by."
    fault = Fault.error(400, message=message)
    sandbox.faults.add(fault, "/api/tickets/*", times=ALWAYS)
    sandbox.faults.add(fault, "/api/tags", times=ALWAYS)

    report = report_of(check(sandbox, tmp_path, "account", "tags", "ticket_details"))

    assert outcomes_in(report)["ticket_details"] == "refused"
    assert "refused with 400: `order_by`." in report
    ids = map(str, sandbox.shop.tickets.ids())
    data = {"Jane", "jane", "4711", sandbox.config["email"], *ids}
    assert [one for one in data if one in report] == []


def test_schemas_are_written_without_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--test=schema` works as in other SDK taps."""
    command = Files(tmp_path).arguments(sandbox.config)

    result = run_command([*command, "--test=schema"])

    assert result.returncode == 0
    assert result.stdout.count('"SCHEMA"') == len(STREAMS)
    assert sandbox.count() == 0
