"""The log of a run says of which stream it speaks, and ends with a summary."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with the SDK, without types

from tap_gorgias.streams import STREAMS
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.logs import errors_of, lines_of, summary_of
from tests.support.runs import Files, Output, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SELECTED = {stream.name for stream in STREAMS if stream.selected_by_default}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small shop without phone support."""
    with Sandbox(Shop(seed=4, tickets=120), phone=403) as sandbox:
        yield sandbox


def log_of(sandbox: Sandbox, folder: Path, *streams: str, **settings: object) -> str:
    """Run the tap and return its log."""
    config = {**sandbox.config, **settings}
    return run_command(Files(folder).arguments(config, streams)).stderr


def test_the_text_of_each_line_names_its_stream(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meltano does not show the name of the logger."""
    monkeypatch.setenv("TAP_GORGIAS_LOGLEVEL", "DEBUG")
    sandbox.faults.add(Fault.error(503), "/api/customers")
    sandbox.forbidden = {"rules"}
    found = 0
    for _, logger, text in lines_of(log_of(sandbox, tmp_path)):
        _, is_of_stream, stream = logger.partition("tap-gorgias.")
        if is_of_stream:
            found += 1
            assert text.startswith(f"{stream}: ")
            assert not text.startswith(f"{stream}: {stream}:")
    assert found >= 2 * len(SELECTED)


def test_lines_in_json_name_their_stream(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As orchestrators read them."""
    formatter = {"()": "singer_sdk.logging.StructuredFormatter"}
    handler = {"class": "logging.StreamHandler", "formatter": "json"}
    logging = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": handler},
        "root": {"level": "INFO", "handlers": ["stderr"]},
    }
    (tmp_path / "logging.yml").write_text(yaml.safe_dump(logging), encoding="utf-8")
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(tmp_path / "logging.yml"))
    log = log_of(sandbox, tmp_path, "tickets", "voice_calls")
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    of_streams = [one for one in entries if one["logger_name"] != "tap-gorgias"]

    assert of_streams
    for entry in of_streams:
        stream = entry["logger_name"].removeprefix("tap-gorgias.")
        assert entry["message"].startswith(f"{stream}: ")
    assert summary_of(entries[-1]["message"]).keys() == {"tickets", "voice_calls"}


def test_a_run_ends_with_a_table_of_what_it_read(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The last line counts the whole run; no line is wider than a terminal."""
    result = run_command(Files(tmp_path).arguments(sandbox.config))
    output = Output.parse(result.stdout)
    table = summary_of(result.stderr)

    assert table.keys() == SELECTED
    for name, counts in table.items():
        assert counts.rows == len(output.records(name)), name
        assert counts.result == "complete"
    assert sum(counts.requests for counts in table.values()) == sandbox.count()
    *_, last = result.stderr.splitlines()
    rows = sum(counts.rows for counts in table.values())
    assert re.fullmatch(
        rf"{len(SELECTED)} streams, {rows} rows, {sandbox.count()} requests, "
        r"0 retries in \d+ s \(\d+ s at the rate limit\)",
        last,
    )
    _, _, summary = result.stderr.partition("Summary of the run:\n")
    assert max(map(len, summary.splitlines())) <= 80


def test_the_time_of_a_complete_run_can_be_found(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """One line, which has a time as every other, tells it; a failed run has none."""
    line = "Complete: everything was read."
    complete = [text for _, _, text in lines_of(log_of(sandbox, tmp_path, "rules"))]
    assert complete.count(line) == 1
    sandbox.forbidden = {"rules"}

    assert line not in log_of(sandbox, tmp_path, "rules", "tags")


def test_the_reason_of_a_failed_stream_is_given_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """At once, with what to do; the end names the stream and the status."""
    sandbox.forbidden = {"rules"}
    log = log_of(sandbox, tmp_path)
    reason, end = errors_of(log)

    assert log.count("rules:read") == 1
    assert reason.startswith("rules: ")
    assert "deselect `rules`" in reason
    assert f"1 of {len(SELECTED)} streams" in end
    assert "rules" in end
    assert summary_of(log)["rules"] == (0, 1, "failed: answered 403")
    assert summary_of(log)["tickets"].result == "complete"


def test_what_is_missing_of_a_stream_is_said_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """When it is found; the end names the stream, and how much is missing."""

    def without_keys(body: dict[str, Any]) -> dict[str, Any]:
        rows = body["data"]
        return {**body, "data": [*rows[3:], *({**row, "id": None} for row in rows[:3])]}

    sandbox.faults.add(Fault.rewrite(without_keys), "/api/customers")
    log = log_of(sandbox, tmp_path, "customers", "tickets")
    failed, end = errors_of(log)

    assert log.count("a record came without its key") == 1
    assert failed.startswith("customers: failed: 3 parts ")
    assert end.startswith("1 of 2 streams were not read completely: customers.")
    assert summary_of(log)["customers"].result == "failed: incomplete"


def test_a_key_that_is_revoked_leaves_streams_unfinished(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The table does not call them complete."""

    def revoke(*_: object) -> None:
        if sandbox.count() > 3:
            sandbox.auth.api_key = "another"

    sandbox.before_request(revoke)

    results = {
        counts.result for counts in summary_of(log_of(sandbox, tmp_path)).values()
    }
    assert "not finished" in results
    assert results <= {"not finished", "complete"}


def test_an_ordinary_run_logs_little(sandbox: Sandbox, tmp_path: Path) -> None:
    """What the SDK says of each stream is shown at level DEBUG only."""
    log = log_of(sandbox, tmp_path)

    for _, _, text in lines_of(log):
        assert len(text) <= 80 or text.startswith("Not selected: ")
    warnings = sum(level == "WARNING" for level, _, _ in lines_of(log))
    assert warnings == 3  # no phone support
    # versions, not selected, complete, summary
    assert len(lines_of(log)) - warnings == 4


def test_details_of_the_sdk_are_logged_at_level_debug(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for them gets them all."""
    monkeypatch.setenv("TAP_GORGIAS_LOGLEVEL", "DEBUG")
    lines = lines_of(log_of(sandbox, tmp_path, "ticket_messages", "tickets"))

    texts = {
        level: [text for at, _, text in lines if at == level] for level, *_ in lines
    }
    begun = [text for text in texts["DEBUG"] if "Beginning" in text]
    assert len(begun) == 2
    assert any("child stream" in text for text in texts["DEBUG"])
    assert [text for text in texts["INFO"] if "Beginning" in text] == []


@pytest.mark.parametrize("is_on", [False, True])
def test_metrics_are_logged_if_the_setting_is_on(
    sandbox: Sandbox, tmp_path: Path, *, is_on: bool
) -> None:
    """Then programs that parse them find the SDK's metrics of each stream."""
    streams = ("tags", "tickets")
    log = log_of(sandbox, tmp_path, *streams, log_metrics=is_on)
    metrics = [
        json.loads(text.removeprefix("METRIC: "))
        for _, _, text in lines_of(log)
        if text.startswith("METRIC: ")
    ]
    found = {(one["metric"], one["tags"]["stream"]): one["value"] for one in metrics}

    assert len(metrics) == (4 if is_on else 0)
    if is_on:
        assert found["record_count", "tickets"] == 120
        assert found["sync_duration", "tags"] > 0
