"""What users of the command line see when something is wrong, and when it is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_gorgias.streams import STREAMS
from tap_gorgias.tap import TapGorgias
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.logs import errors_of, summary_of
from tests.support.runs import (
    COMMAND,
    Files,
    Output,
    batches_of,
    catalog_of,
    run_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """A small shop."""
    with Sandbox(Shop(seed=4, tickets=120)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The small shop without anything that the previous test configured."""
    shared_sandbox.faults.clear()
    shared_sandbox.reset_counters()
    return shared_sandbox


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subdomain": None}, "Setting `subdomain` is required."),
        (
            {"subdomain": "evil.com"},
            (
                "Setting `subdomain` must be the name of your helpdesk: `acme`, "
                "`acme.gorgias.com` or `https://acme.gorgias.com`."
            ),
        ),
        (
            {"start_date": "yesterday"},
            "Setting `start_date` must be a date-time such as `2025-01-01T00:00:00Z`.",
        ),
        (
            {"star_date": "2025-01-01"},
            "Setting `star_date` is unknown. Did you mean `start_date`?",
        ),
        (
            {"message_lookback_days": -1},
            "Setting `message_lookback_days` must be at least 0.",
        ),
        (
            {"api_url": "http://example.com"},
            (
                "Setting `api_url` must begin with `https://`: `http://` is only "
                "accepted for the local machine."
            ),
        ),
        (
            {"email": None},
            "Credentials are incomplete: set `email`.",
        ),
        (
            {"api_key": None},
            "Credentials are incomplete: set `api_key`.",
        ),
        (
            {"client_id": "app"},
            (
                "Both an API key and OAuth2 credentials are set: keep either `email` "
                "and `api_key`, or `client_id`, `client_secret` and `refresh_token`."
            ),
        ),
        (
            {"rate_limit_percent": "half"},
            "Setting `rate_limit_percent` must be of type integer.",
        ),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line_before_any_request(
    sandbox: Sandbox, tmp_path: Path, changes: dict[str, Any], error: str
) -> None:
    """The line names the setting, and the exit code is 1."""
    command = Files(tmp_path).arguments({**sandbox.config, **changes})

    result = run_command(command)

    assert result.returncode == 1
    assert errors_of(result.stderr) == [error]
    assert result.stdout == ""
    assert sandbox.count() == 0


@pytest.mark.parametrize(
    ("option", "content", "error"),
    [
        (
            "config",
            '{"subdomain": "acme",\n"email" "you@acme.com"}',
            "The config `config.json` is not valid JSON: see line 2, column 9.",
        ),
        ("config", "7", "The config `config.json` is not a JSON object."),
        (
            "state",
            '{"bookmarks": {"tick',
            (
                "STATE is not valid JSON. Pass the last complete line that the target "
                "wrote, or `{}` to read everything again."
            ),
        ),
        (
            "state",
            "[]",
            (
                "STATE must be a JSON object with the object `bookmarks` at its top "
                "level."
            ),
        ),
        (
            "state",
            '{"type": "STATE", "value": {"bookmarks": {}}}',
            (
                "STATE must be a JSON object with the object `bookmarks` at its top "
                "level."
            ),
        ),
        (
            "state",
            '{"bookmarks": 7}',
            (
                "STATE must be a JSON object with the object `bookmarks` at its top "
                "level."
            ),
        ),
        (
            "state",
            '{"bookmarks": {"tickets": "2026"}}',
            "STATE of stream `tickets` must be a JSON object.",
        ),
        (
            "state",
            '{"bookmarks": {"tickets": {"replication_key_value": "soon"}}}',
            (
                "STATE of stream `tickets`: the bookmark 'soon' is not a date-time. "
                "Fix or remove `replication_key_value`."
            ),
        ),
        (
            "state",
            '{"bookmarks": {"events": {"replication_key_value": 5}}}',
            (
                "STATE of stream `events`: the bookmark 5 is not a date-time. Fix or "
                "remove `replication_key_value`."
            ),
        ),
        (
            "catalog",
            "[]",
            "The catalog is not valid. Create one with `--discover`.",
        ),
        (
            "catalog",
            '{"streams": [{"no": "name"}]}',
            "The catalog is not valid. Create one with `--discover`.",
        ),
    ],
)
def test_an_invalid_file_is_reported_in_one_line(
    sandbox: Sandbox, tmp_path: Path, option: str, content: str, error: str
) -> None:
    """The line names the file, and there is no traceback."""
    Files(tmp_path).arguments(sandbox.config)
    (tmp_path / f"{option}.json").write_text(content)
    options = ["--config", "config.json"]
    if option != "config":
        options += [f"--{option}", f"{option}.json"]
        error = f"{option}.json: {error}"

    result = run_command([*COMMAND, *options], tmp_path)

    assert result.returncode == 1
    assert errors_of(result.stderr) == [error]
    assert "Traceback" not in result.stderr


def test_a_stream_that_the_tap_does_not_have_is_named(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody takes its table for complete."""
    catalog = catalog_of("tags")
    entry = next(one for one in catalog["streams"] if one["stream"] == "tags")
    catalog["streams"].append({**entry, "tap_stream_id": "tag", "stream": "tag"})
    tap = TapGorgias(config=sandbox.config, catalog=catalog)
    assert [stream.name for stream in tap.selected_streams()] == ["tags"]
    assert "there is no stream `tag`. Did you mean `tags`?" in caplog.text


@pytest.mark.parametrize("stream", ["tickets", "events", "ticket_messages"])
def test_a_bookmark_in_the_future_is_reported_in_one_line(
    sandbox: Sandbox, tmp_path: Path, stream: str
) -> None:
    """Each run would miss all changes until then, with exit code 0."""
    state = {
        "bookmarks": {
            "tickets": {"replication_key_value": "2026-01-01T00:00:00Z"},
            stream: {"replication_key_value": "2099-01-01T00:00:00Z"},
        }
    }

    result = run_command(Files(tmp_path).arguments(sandbox.config, [stream], state))

    assert result.returncode == 1
    assert errors_of(result.stderr) == [
        (
            f"STATE of stream `{stream}`: the bookmark '2099-01-01T00:00:00.000000Z' "
            "is in the future and would hide all changes until then. Fix or remove "
            "`replication_key_value`."
        )
    ]
    output = Output.parse(result.stdout)
    assert output.records(stream) == []
    assert "2099-01-01T00:00:00.000000Z" in json.dumps(output.state)
    assert output.states[0] == output.state
    assert sandbox.count() == 1


def test_a_missing_config_file_is_reported_in_one_line(tmp_path: Path) -> None:
    """The line names the file."""
    result = run_command([*COMMAND, "--config", "nowhere.json"], tmp_path)

    assert result.returncode == 1
    assert errors_of(result.stderr) == [
        "The config `nowhere.json` cannot be read: there is no such file."
    ]


def test_a_config_in_place_of_a_file_name_is_not_shown(tmp_path: Path) -> None:
    """It contains the key."""
    config = json.dumps({"api_key": "secret-key.json"})

    result = run_command([*COMMAND, "--config", config], tmp_path)

    assert errors_of(result.stderr) == [
        "The config file cannot be read: there is no such file."
    ]
    assert "secret-key" not in result.stderr


def test_a_wrong_key_is_reported_in_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    """The line says what to check, and does not show the key."""
    config = {**sandbox.config, "api_key": "wrong-key-of-mine"}

    result = run_command(Files(tmp_path).arguments(config))

    assert result.returncode == 1
    (error,) = errors_of(result.stderr)
    assert error.endswith("answered 401: Unauthorized. Check `email` and `api_key`.")
    assert "wrong-key-of-mine" not in result.stderr


def test_a_successful_run_ends_with_a_summary(sandbox: Sandbox, tmp_path: Path) -> None:
    """It counts rows, requests, waits and retries for each stream and in total."""
    sandbox.faults.add(Fault.error(503), "/api/customers")

    result = run_command(Files(tmp_path).arguments(sandbox.config, ["customers"]))

    assert result.returncode == 0
    assert summary_of(result.stderr) == {"customers": (120, 3, "complete")}
    assert "1 streams, 120 rows, 3 requests, 1 retries in " in result.stderr
    assert "customers: /api/customers answered 503: Invented fault. Retrying" in (
        result.stderr
    )


def test_a_failed_run_ends_with_a_summary_too(sandbox: Sandbox, tmp_path: Path) -> None:
    """It shows the costs until the failure."""
    sandbox.faults.add(Fault.error(403), "/api/tickets", after=1)

    result = run_command(Files(tmp_path).arguments(sandbox.config, ["tickets"]))

    assert result.returncode == 1
    assert summary_of(result.stderr) == {"tickets": (100, 2, "failed: answered 403")}
    assert Output.parse(result.stdout).bookmark("tickets")["walk"]


def test_no_log_line_contains_secrets_or_customer_texts(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even at level DEBUG, at which libraries log their requests."""
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    sandbox.faults.add(Fault.error(502, html=True), "/api/tickets")
    streams = ["account", "customers", "messages", "tickets", "users"]

    result = run_command(Files(tmp_path).arguments(sandbox.config, streams))

    assert result.returncode == 0
    assert "DEBUG" in result.stderr
    assert "Basic " not in result.stderr
    assert "Authorization" not in result.stderr
    assert sandbox.config["api_key"] not in result.stderr
    output = Output.parse(result.stdout)
    words = {r["email"] for r in output.records("customers") if r["email"]}
    words |= {r["subject"] for r in output.records("tickets") if r["subject"]}
    words |= {r["body_text"] for r in output.records("messages") if r["body_text"]}
    assert [word for word in words if len(word) > 5 and word in result.stderr] == []


def test_log_lines_grow_with_streams_and_not_with_rows(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """An hourly job does not fill a disk."""
    result = run_command(Files(tmp_path).arguments(sandbox.config, ["tickets"]))

    assert len(result.stderr.splitlines()) < 60


def test_settings_can_come_from_the_environment(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config=ENV` works as in any tap."""
    for name, value in sandbox.config.items():
        monkeypatch.setenv(f"TAP_GORGIAS_{name.upper()}", value)
    monkeypatch.setenv("TAP_GORGIAS_EVENT_TYPES", '["ticket-created"]')
    monkeypatch.setenv("TAP_GORGIAS_RATE_LIMIT_PERCENT", "50")
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of("events")))

    result = run_command(
        [*Files(tmp_path).arguments({})[:3], "--config=ENV", "--catalog", str(catalog)]
    )

    assert result.returncode == 0
    types = {event["type"] for event in Output.parse(result.stdout).records("events")}
    assert types == {"ticket-created"}


def test_discovery_needs_no_settings(tmp_path: Path) -> None:
    """Users can inspect the streams before they configure the tap."""
    result = run_command([*Files(tmp_path).arguments({})[:3], "--discover"])

    assert result.returncode == 0
    assert len(json.loads(result.stdout)["streams"]) == len(STREAMS)


def test_batches_are_written_before_their_state(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """STATE never precedes the BATCH message of its rows."""
    config = {**sandbox.config, "batch_config": batches_of(50, tmp_path)}

    result = run_command(Files(tmp_path).arguments(config, ["tickets"]))

    kinds = [json.loads(line)["type"] for line in result.stdout.split("\n")[:-1]]
    assert kinds.count("BATCH") == 3
    assert kinds[0] == "STATE"  # that of the start
    assert kinds.index("STATE", 1) > kinds.index("BATCH")
    assert Output.parse(result.stdout).bookmark("tickets")["replication_key_value"]


def test_the_output_ends_with_state(sandbox: Sandbox, tmp_path: Path) -> None:
    """Some targets only store the STATE that follows the last record."""
    result = run_command(Files(tmp_path).arguments(sandbox.config))

    output = Output.parse(result.stdout)
    assert output.messages[-1]["type"] == "STATE"
    assert output.state["bookmarks"]["tickets"]["replication_key_value"]


def test_each_unknown_setting_is_reported_in_a_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Several mistakes are reported at once."""
    config = {**sandbox.config, "star_date": "2025-01-01", "colour": "red"}

    result = run_command(Files(tmp_path).arguments(config))

    assert errors_of(result.stderr) == [
        "Setting `star_date` is unknown. Did you mean `start_date`?",
        "Setting `colour` is unknown.",
    ]
