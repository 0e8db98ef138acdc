"""`--test` reports how Gorgias answers for all selected streams, and shows no data."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_gorgias.config.statistics import PRESETS
from tap_gorgias.connection_test.tester import check_streams
from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.end_to_end.test_secrecy import loud, secrets_of, words_of
from tests.sandbox import Fault, Sandbox, Shop, deviations
from tests.sandbox.limiter import SlidingWindow
from tests.support.fake_clock import FakeClock
from tests.support.runs import Files, catalog_of, everything, run_command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tap_gorgias.stream_types.stream import GorgiasStream


LAST_LINES = "You can paste this text into an issue."
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
    assert result.stdout.startswith("tap-gorgias ")
    return result.stdout


def outcomes_in(report: str) -> dict[str, str]:
    """Return the outcome of each stream."""
    return dict(
        re.findall(
            r"^(\w+) +(ok|no rows|refused|not as expected)\b", report, re.MULTILINE
        )
    )


def sections_of(report: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return what needs action and what is harmless: names of streams, and a text."""
    unwrapped = report.replace("\n  ", " ")
    actions, _, harmless = unwrapped.partition("Harmless differences:\n")
    line = re.compile(r"^- ([^:]+): (.*)", re.MULTILINE)
    return line.findall(actions), line.findall(harmless)


def quoted(text: str) -> str:
    """Return the field that a text names."""
    found = re.search(r"`(\w+)`|: (\w+)\.$", text)
    assert found
    return found[1] or found[2]


def test_all_streams_are_ok_when_gorgias_answers_as_documented(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """So are all presets. No request is refused, and stdout stays empty."""
    sandbox.limiter = SlidingWindow(80, 20)
    recent = (datetime.now(timezone.utc) - timedelta(days=20)).isoformat()
    config = {**sandbox.oauth_config, "statistics": sorted(PRESETS)}
    config["start_date"] = recent
    command = Files(tmp_path).arguments(config, catalog=everything(config))

    result = run_command([*command, "--test"])

    report = report_of(result)
    assert result.returncode == 0, report
    names = {stream.name for stream in STREAMS}
    names |= {f"statistics_{name}" for name in PRESETS}
    assert outcomes_in(report) == dict.fromkeys(names, "ok")
    assert "Needs action" not in report
    assert "Harmless" not in report
    assert re.search(r"Call limit: \d+/80 in .*; as documented for OAuth2\.\n", report)
    assert "\nsigned in with OAuth2\n" in report
    assert LAST_LINES in report
    assert "RECORD" not in report
    assert (
        f"{len(names)} streams: {len(names)} ok; {sandbox.count()} requests, " in report
    )
    assert sandbox.count(status=200) == sandbox.count() - 1  # without credentials


def test_all_differences_are_listed_in_one_report(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The test does not stop at the first one, and exits with code 1."""
    for deviate in deviations.DEVIATIONS:
        deviate(sandbox)
    command = Files(tmp_path).arguments(sandbox.config, catalog=everything())

    result = run_command([*command, "--test"])

    report = report_of(result)
    assert result.returncode == 1
    assert len(outcomes_in(report)) == len(STREAMS)
    actions, harmless = sections_of(report)
    assert {names for names, _ in actions} == {
        "customer_details, customers",
        "satisfaction_surveys",
    }
    refusal = next(text for names, text in actions if "customers" in names)
    assert "answered 400: " in refusal
    assert "order_by: Unknown field." in refusal
    assert "deselect the stream" in refusal
    assert {(names, quoted(text)) for names, text in harmless} == {
        ("teams", "description"),
        ("tickets", "brand_new"),
    }


def test_the_report_shows_what_a_run_logs(sandbox: Sandbox, tmp_path: Path) -> None:
    """It is the run itself, so both have the same words."""
    for deviate in deviations.DEVIATIONS:
        deviate(sandbox)
    command = Files(tmp_path).arguments(sandbox.config)

    report = report_of(run_command([*command, "--test"]))
    log = run_command(command).stderr

    said = " ".join(log.replace("`", "").split())
    actions, harmless = sections_of(report)
    shown = [text for names, text in (*actions, *harmless) if names != "teams"]
    assert len(shown) == 3
    for text in shown:
        sentence = text.replace("`", "").partition(" Report this")[0]
        assert sentence in said


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
    (refusal,), _ = sections_of(report)
    assert refusal[0] == "events"
    assert "You do not have enough permissions" in refusal[1]
    assert "`events:read`" in refusal[1]
    assert "deselect" in refusal[1]
    assert "3 streams: 2 ok, 1 refused; " in report


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


@pytest.mark.usefixtures("_debugging")
@pytest.mark.parametrize("way", ["API key", "OAuth2"])
def test_no_data_is_shown(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    """Nor do the logs of libraries contain any, whatever Gorgias answers."""
    for deviate in deviations.DEVIATIONS:
        deviate(sandbox)
    config = sandbox.config if way == "API key" else sandbox.oauth_config
    command = Files(tmp_path).arguments(config, catalog=everything())

    result = loud("nothing", command, "--test")

    assert "DEBUG" in result.stderr
    hidden = secrets_of(sandbox) | words_of(sandbox)
    assert [one for one in hidden if one in result.stderr + result.stdout] == []
    assert "A secret." not in result.stderr + result.stdout


@pytest.fixture
def _debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log at level DEBUG."""
    monkeypatch.setenv("LOGLEVEL", "DEBUG")


def test_a_test_costs_a_page_or_two_of_each_stream(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """And a few parents of a child stream."""
    command = Files(tmp_path).arguments(sandbox.config, catalog=everything())

    result = run_command([*command, "--test"])

    assert sandbox.count() <= 2.5 * len(STREAMS)
    requests = re.findall(
        r"^\w+ +(?:ok|no rows) +(\d+) ", report_of(result), re.MULTILINE
    )
    assert len(requests) == len(STREAMS)
    assert max(map(int, requests)) <= 6


@pytest.mark.parametrize(
    "body", [5, [1, 2], {"data": 5}, {"data": [5]}, {"data": [], "meta": 5}]
)
def test_an_invalid_response_does_not_stop_the_test(
    sandbox: Sandbox, tmp_path: Path, body: object
) -> None:
    """It is reported for its own stream, and the others are tested."""
    sandbox.faults.add(Fault.rewrite(lambda _: body), "/api/tags", times=ALWAYS)

    report = report_of(check(sandbox, tmp_path, "account", "tags", "tickets"))

    assert outcomes_in(report) == {
        "account": "ok",
        "tags": "not as expected",
        "tickets": "ok",
    }


def test_an_account_without_phone_passes(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its runs also end with exit code 0."""
    sandbox.phone = 403

    result = check(sandbox, tmp_path, "account", "voice_calls")

    report = report_of(result)
    assert result.returncode == 0
    assert outcomes_in(report)["voice_calls"] == "no rows"
    _, (note,) = sections_of(report)
    assert "no phone" in note[1]


def test_an_outage_does_not_take_five_minutes(sandbox: Sandbox) -> None:
    """A user waits for the report."""
    sandbox.faults.add(Fault.error(503), after=1, times=ALWAYS)

    class Tap(TapGorgias):
        """The tap on a fake clock."""

    clock = FakeClock()
    Tap.clock = clock
    tap = Tap(config={**sandbox.config, "parallel_streams": 1})
    streams = [
        cast("GorgiasStream", tap.streams[one]) for one in ("account", "tags", "teams")
    ]
    results = check_streams(tap.run, streams, tap.logger)
    tap.run.close()

    assert [result.outcome for result in results] == ["ok", "refused", "refused"]
    assert sum(clock.sleeps) < 40


def test_schemas_are_written_without_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    """`--test=schema` works as in other SDK taps."""
    command = Files(tmp_path).arguments(sandbox.config)

    result = run_command([*command, "--test=schema"])

    assert result.returncode == 0
    assert result.stdout.count('"SCHEMA"') == len(STREAMS)
    assert sandbox.count() == 0
