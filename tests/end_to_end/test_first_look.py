"""`--test` tells of all selected streams how the API answers, and shows no data."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.config.statistics import PRESETS
from tap_gorgias.streams import STREAMS
from tests.end_to_end.test_secrecy import loud, secrets_of, words_of
from tests.sandbox import Fault, Sandbox, Shop, surprises
from tests.sandbox.answers import Answer
from tests.sandbox.limiter import SlidingWindow
from tests.support.runs import Files, catalog_of, everything, run_command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tap_gorgias.replication.pages import Row


LAST_LINE = "This text holds no data of the account: it can be pasted into an issue."
ALWAYS = 1_000_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop that is open today, with several pages of what is large."""
    now = datetime.now(timezone.utc).isoformat()
    shop = Shop(seed=8, now=now, tickets=250, customers=150, events=1_500)
    with Sandbox(shop) as sandbox:
        yield sandbox


def look_at(
    sandbox: Sandbox, folder: Path, *streams: str, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run `--test` with a catalog of some streams."""
    config = {**sandbox.config, **settings}
    with_streams = config if "statistics" in config else None
    catalog = catalog_of(*streams, config=with_streams)
    return run_command([*Files(folder).arguments(config, catalog=catalog), "--test"])


def table_of(result: subprocess.CompletedProcess[str]) -> str:
    """Return what a user would paste."""
    start = result.stderr.index("\ntap-gorgias ") + 1
    return result.stderr[start:]


def verdicts_in(table: str) -> dict[str, str]:
    """Return the beginning of the verdict of each stream."""
    return dict(
        re.findall(
            r"^(\w+) +(ok|no rows|refused|not as expected)\b", table, re.MULTILINE
        )
    )


def test_all_is_well_when_gorgias_answers_as_documented(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """All streams and all presets, with nothing refused and nothing on stdout."""
    sandbox.limiter = SlidingWindow(80, 20)
    config = {**sandbox.oauth_config, "statistics": sorted(PRESETS)}
    command = Files(tmp_path).arguments(config, catalog=everything(config))

    result = run_command([*command, "--test"])

    table = table_of(result)
    assert result.returncode == 0, table
    assert result.stdout == ""
    names = {stream.name for stream in STREAMS}
    names |= {f"statistics_{name}" for name in PRESETS}
    assert verdicts_in(table) == dict.fromkeys(names, "ok")
    assert "otherwise than this version expects:\n- nothing.\n" in table
    assert re.search(r"- Call limit: \d+/80 in .*, as an OAuth2 app gets\.\n", table)
    assert table.endswith(f"\n{LAST_LINE}\n")
    assert (
        f"{len(names)} streams: {len(names)} ok; {sandbox.count()} requests, " in table
    )
    assert sandbox.count(status=200) == sandbox.count()


def test_many_surprises_stand_in_one_table(sandbox: Sandbox, tmp_path: Path) -> None:
    """A look does not end at the first, and the exit code tells."""
    for surprise in surprises.SURPRISES:
        surprise(sandbox)
    config = {**sandbox.config, "statistics": sorted(PRESETS)}
    command = Files(tmp_path).arguments(config, catalog=everything(config))

    result = run_command([*command, "--test"])

    table = table_of(result)
    assert result.returncode == 1
    assert len(verdicts_in(table)) == len(STREAMS) + len(PRESETS)
    _, _, otherwise = table.partition("does otherwise than this version expects:\n")
    assert otherwise == (
        "- customers, customer_details: refused with 400: `order_by`.\n"
        "- deletions: missing in the `uri` that the answer echoes: `types`.\n"
        "- deletions: `types` is ignored: other rows come, too.\n"
        "- jobs: `next_cursor` is missing in `meta`.\n"
        "- rules: missing in the `uri` that the answer echoes: `limit`.\n"
        "- satisfaction_surveys: not in the order asked for, `created_datetime:desc`.\n"
        "- teams: missing fields, whose columns are null: `description`.\n"
        "- tickets: fields that this version does not know: `brand_new`.\n"
        "- users: date-times of the form 0000-00-00T00:00:00: `created_datetime`.\n"
        "- views, view_items: a bare array, without `data` and `meta` around it.\n"
        "- Call limit: 3/200 in the last 20 s, which no documented plan has. 40 was "
        "expected.\n"
        f"\n{LAST_LINE}\n"
    )


def test_harmless_surprises_leave_all_well(sandbox: Sandbox, tmp_path: Path) -> None:
    """Gorgias adds fields each year, and the run reads all others."""
    surprises.unknown_field(sandbox)
    surprises.missing_field(sandbox)
    surprises.other_call_limit(sandbox)

    result = look_at(sandbox, tmp_path, "account", "teams", "tickets")

    assert result.returncode == 0
    assert "`brand_new`" in table_of(result)


def test_a_refused_stream_stands_among_others(sandbox: Sandbox, tmp_path: Path) -> None:
    """With the permission that it needs."""
    sandbox.forbidden.add("events")

    result = look_at(sandbox, tmp_path, "account", "events", "tickets")

    table = table_of(result)
    assert result.returncode == 1
    assert verdicts_in(table) == {"account": "ok", "events": "refused", "tickets": "ok"}
    assert "refused: 403, needs `events:read`." in table
    assert "3 streams: 2 ok, 1 refused; " in table


def test_a_wrong_key_is_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    """There is nothing to tell of streams."""
    result = look_at(sandbox, tmp_path, "account", "tickets", api_key="wrong")

    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert "answered 401" in errors[0]
    assert "verdict" not in result.stderr
    assert sandbox.count() == 1


@pytest.mark.parametrize("status", [302, 404])
def test_a_wrong_subdomain_is_one_line(
    sandbox: Sandbox, tmp_path: Path, status: int
) -> None:
    """Gorgias' web site answers in place of a helpdesk."""
    page = Answer(status, body=b"<html></html>", content_type="text/html")
    sandbox.faults.add(Fault("web page", lambda _: page), times=ALWAYS)

    result = look_at(sandbox, tmp_path, "account", "tickets")

    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert errors[0].endswith("Check `subdomain`.")
    assert sandbox.count() == 1


def test_a_list_without_rows_is_told(tmp_path: Path) -> None:
    """It may be empty, or the user of the key may not see its rows."""
    now = datetime.now(timezone.utc).isoformat()
    with Sandbox(Shop(now=now, voice_calls=0)) as sandbox:
        result = look_at(sandbox, tmp_path, "account", "voice_calls")

    assert result.returncode == 0
    assert verdicts_in(table_of(result)) == {"account": "ok", "voice_calls": "no rows"}


def test_the_default_selection_is_looked_at_without_a_catalog(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """As in a run."""
    result = run_command([*Files(tmp_path).arguments(sandbox.config), "--test"])

    names = {stream.name for stream in STREAMS if stream.selected_by_default}
    assert verdicts_in(table_of(result)).keys() == names


def test_an_unexpected_call_limit_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """An app that gets as little as an API key does no harm."""
    sandbox.limiter = SlidingWindow(40, 20)
    command = Files(tmp_path).arguments(sandbox.oauth_config, ["tags", "tickets"])

    result = run_command([*command, "--test"])

    table = table_of(result)
    assert result.returncode == 0
    assert "signed in with OAuth2" in table
    assert "/40 in the last 20 s, as an API key gets. 80 was expected.\n" in table
    assert f"; {sandbox.count()} requests, " in table


def test_names_and_reasons_fit_into_100_columns(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whatever length others give them, and whatever signs."""
    names = [f"{'long_' * 40}{number}\n\x1b[31m`" for number in range(40)]

    def extend(answer: Row) -> Row:
        rows = [{**row, **dict.fromkeys(names, 1)} for row in answer["data"]]
        return {**answer, "data": rows}

    sandbox.faults.add(Fault.rewrite(extend), "/api/tags", times=ALWAYS)
    sandbox.phone = None
    query = {"name": "q" * 50, "scope": "tickets-created", "measures": ["ticketCount"]}
    streams = ["account", "tags", "voice_calls", f"statistics_{'q' * 50}"]

    result = look_at(sandbox, tmp_path, *streams, statistics=[query])

    table = table_of(result)
    assert result.returncode == 0
    assert max(map(len, table.splitlines())) <= 100
    assert all(sign.isprintable() or sign == "\n" for sign in table)
    assert " and 28 more." in table


@pytest.mark.usefixtures("_debugging")
@pytest.mark.parametrize("way", ["API key", "OAuth2"])
def test_a_look_shows_no_data(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    """Not in the log of all libraries either, whatever Gorgias answers."""
    for surprise in surprises.SURPRISES:
        surprise(sandbox)
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
    """Turn logging up."""
    monkeypatch.setenv("LOGLEVEL", "DEBUG")


def test_the_table_repeats_no_words_of_gorgias(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A refusal may echo whom it is about."""
    message = "Jane Doe <jane@example.com> may not see ticket 4711, order_by."
    fault = Fault.error(400, message=message)
    sandbox.faults.add(fault, "/api/tickets/*", times=ALWAYS)
    sandbox.faults.add(fault, "/api/tags", times=ALWAYS)

    table = table_of(look_at(sandbox, tmp_path, "account", "tags", "ticket_details"))

    assert verdicts_in(table)["ticket_details"] == "refused"
    assert "refused with 400: `order_by`." in table
    ids = map(str, sandbox.shop.tickets.ids())
    data = {"Jane", "jane", "4711", sandbox.config["email"], *ids}
    assert [one for one in data if one in table] == []


def test_schemas_can_still_be_written_without_asking(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The SDK's other test."""
    command = Files(tmp_path).arguments(sandbox.config)

    result = run_command([*command, "--test=schema"])

    assert result.returncode == 0
    assert result.stdout.count('"SCHEMA"') == len(STREAMS)
    assert sandbox.count() == 0
