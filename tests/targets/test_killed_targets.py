"""After a target was killed, the next run continues from the last STATE it wrote."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox, Shop
from tests.support.documents import text
from tests.support.runs import Files, Output, run_command
from tests.targets import shop
from tests.targets.comparing import ALLOWED, comparable
from tests.targets.environments import SCRIPTS, executable
from tests.targets.killing import Message, state_of_killed
from tests.targets.loading import TARGETS, DuckDB, load, settings_of, target_of
from tests.targets.target import latest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.targets.shop import Key
    from tests.targets.target import Target

STREAMS = ("customers", "events", "tags", "ticket_messages", "tickets")
SDK_TARGETS = ("target-postgres", "target-bigquery", "target-snowflake")
WRITES_STATE_AT_END = "target-jsonl"

SAFE: Mapping[str, Mapping[str, Any]] = {
    "target-duckdb": {"batch_size_rows": 30},  # the shop is small
    "target-bigquery": {"upsert": False},
}
"""Settings with which a target writes STATE only for rows that it has loaded."""

WARNING = "records have exceeded the max age of 5.0 minutes. Draining all sinks."
"""The message in the target's log that precedes a loss of rows."""


def kill_during_load(
    target: Target,
    folder: Path,
    messages: Sequence[Message],
    settings: Mapping[str, Any],
) -> Message | None:
    """Pass on the start of a run, kill the idle target, and return its last STATE."""
    command = target.command
    if target.name in SDK_TARGETS:
        python = executable(target.name, "python")
        command = [python, SCRIPTS / "hurried_target.py", target.name]
    return state_of_killed(
        command,
        {**settings_of(target), **settings},
        messages,
        folder,
        {**target.variables, "EACH_STATE": "1"},
        writes_states=target.name != WRITES_STATE_AT_END,
    )


@dataclass
class Loading:
    """A target, and the output of a complete run for it."""

    target: Target
    sandbox: Sandbox
    folder: Path
    whole: Output

    def kill(self, settings: Mapping[str, Any]) -> Message | None:
        """Pass on two thirds of the run, kill the target, and return its last STATE."""
        messages = self.whole.messages
        part = messages[: len(messages) * 2 // 3]
        return kill_during_load(self.target, self.folder, part, settings)

    def resume(self, state: Message | None) -> None:
        """Run the tap from a STATE into the target with its normal settings."""
        load(self.target, self.sandbox.config, self.folder, state, STREAMS)

    def missing(self, stream: str) -> set[Key]:
        """Return the keys of rows that are absent or differ from what the tap wrote."""
        schema, allowed = self.whole.schemas[stream], ALLOWED[self.target.name]
        keys, columns = schema["key_properties"], schema["schema"]
        expected = latest(self.whole.records(stream), keys)
        assert expected.keys() == shop.keys(self.sandbox.shop, stream)
        found = latest(self.target.rows(stream)[stream], keys)
        return {
            key
            for key, row in expected.items()
            if key not in found
            or comparable(columns, found[key], allowed)
            != comparable(columns, row, allowed)
        }


@contextlib.contextmanager
def loading(name: str, folder: Path) -> Iterator[Loading]:
    """Create an empty target, and read a shop with a few pages."""
    filled = Shop(seed=3, tickets=250, customers=220, events=210)
    with contextlib.ExitStack() as stack:
        target = target_of(name, folder, stack)
        sandbox = stack.enter_context(Sandbox(filled))
        done = run_command(Files(folder).arguments(sandbox.config, STREAMS))
        assert done.returncode == 0, done.stderr[-2_000:]
        whole = Output.parse(done.stdout)
        assert whole.turns > len(STREAMS), "Streams do not interleave."
        yield Loading(target, sandbox, folder, whole)


@pytest.mark.parametrize("name", TARGETS)
def test_the_next_run_loads_what_a_killed_target_did_not(
    name: str, tmp_path: Path
) -> None:
    """Every row of every stream is in the target, in whatever order they came."""
    with loading(name, tmp_path) as run:
        state = run.kill(SAFE.get(name, {}))
        assert (state is None) is (name == WRITES_STATE_AT_END)

        run.resume(state)

        for stream in STREAMS:
            assert run.missing(stream) == set(), stream


def test_a_killed_upsert_into_bigquery_loses_rows(tmp_path: Path) -> None:
    """STATE is written before the temporary tables are merged at the end of a run.

    This is a bug of z3-target-bigquery 0.7.2. When this test fails, `upsert` has become
    safe: update docs/bigquery.md, and remove it from `SAFE`.
    """
    with loading("target-bigquery", tmp_path) as run:
        state = run.kill({})
        assert state
        log = (tmp_path / "log").read_text("utf-8")
        assert WARNING in log
        assert WARNING in text()

        run.resume(state)

        assert any(run.missing(stream) for stream in STREAMS)


@pytest.mark.parametrize("flushes_all", [True, False])
def test_duckdb_has_to_flush_all_streams(tmp_path: Path, *, flushes_all: bool) -> None:
    """Otherwise a full batch of one stream releases STATE for another's rows."""
    target = DuckDB(tmp_path)
    messages = [*map(_schema, "ab"), *map(_record, "aa", (1, 2))]
    messages += [{"type": "STATE", "value": {"bookmarks": {"a": 2}}}]
    messages += map(_record, "bbb", (1, 2, 3))
    settings = {"batch_size_rows": 3, "flush_all_streams": flushes_all}

    state = kill_during_load(target, tmp_path, messages, settings)

    assert state == {"bookmarks": {"a": 2}}
    assert len(target.rows("a")["a"]) == (2 if flushes_all else 0)


def _schema(stream: str) -> Message:
    columns = {"id": {"type": "integer"}, "name": {"type": "string"}}
    schema = {"type": "object", "properties": columns}
    keys = {"key_properties": ["id"]}
    return {"type": "SCHEMA", "stream": stream, "schema": schema, **keys}


def _record(stream: str, row_id: int) -> Message:
    return {"type": "RECORD", "stream": stream, "record": {"id": row_id, "name": ""}}
