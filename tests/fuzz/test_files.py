"""Any settings, STATE or catalog is accepted or rejected with a clear error."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.replication.bookmarks import TIMESTAMP_KEYS
from tap_gorgias.stream_types.stream import GorgiasStream
from tap_gorgias.tap import TapGorgias
from tests.fuzz.examples import examples
from tests.fuzz.invariants import run_and_check, run_command_and_check
from tests.fuzz.values import VALUES, paths, replaced, to_json
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import run, small_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = sorted(
    TapGorgias.config_jsonschema["properties"]
    | TapGorgias(validate_config=False).config_jsonschema["properties"]
)
URL_SETTINGS = {"api_url", "subdomain"}
TICKET_STREAMS = ("tickets", "ticket_messages", "ticket_details")
INCREMENTAL_STREAMS = (*TICKET_STREAMS, "events", "jobs", "voice_call_events")
ENTRY_KEYS = (
    *("replication_key", "walk", "cursor", "parent_walk", "emitting"),
    *TIMESTAMP_KEYS,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small shop whose lists have several pages."""
    shop = Shop(seed=3, tickets=12, customers=12, events=12, voice_calls=12)
    with pytest.MonkeyPatch.context() as patch, Sandbox(shop) as sandbox:
        patch.setattr(GorgiasStream, "page_size", 5)
        yield sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files, which each example overwrites."""
    return tmp_path_factory.mktemp("files")


def write(folder: Path, name: str, text: str) -> str:
    """Write a file that may contain lone surrogates, and return its path."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return str(path)


@pytest.mark.parametrize("name", SETTINGS)
@given(value=VALUES)
@examples(8)
def test_any_value_of_a_setting_is_accepted_or_rejected(
    sandbox: Sandbox, folder: Path, name: str, value: object
) -> None:
    """The value is in the config file."""
    arguments = [
        f"--config={write(folder, 'c', to_json({**sandbox.config, name: value}))}",
        f"--catalog={write(folder, 'k', json.dumps(small_catalog('events')))}",
    ]
    without_requests = mock.patch.object(TapGorgias, "sync_all")
    with without_requests if name in URL_SETTINGS else contextlib.nullcontext():
        run_command_and_check(*arguments)


@pytest.mark.parametrize("name", SETTINGS)
@given(value=VALUES.filter(lambda value: "\0" not in str(value)[:100_000]))
@examples(3)
def test_any_environment_variable_is_accepted_or_rejected(
    sandbox: Sandbox, folder: Path, name: str, value: object
) -> None:
    """The SDK parses variables of some settings as JSON."""
    text = value if isinstance(value, str) else to_json(value)
    encoded = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    given_settings = {**sandbox.config, name: encoded[:120_000]}
    environment = {f"TAP_GORGIAS_{k.upper()}": v for k, v in given_settings.items()}
    catalog = write(folder, "k", json.dumps(small_catalog("events")))
    without_requests = mock.patch.object(TapGorgias, "sync_all")
    with (
        mock.patch.dict("os.environ", environment),
        without_requests if name in URL_SETTINGS else contextlib.nullcontext(),
    ):
        run_command_and_check("--config=ENV", f"--catalog={catalog}")


@pytest.mark.parametrize("option", ["config", "state", "catalog"])
@given(text=VALUES.map(to_json) | st.text(max_size=20))
@examples(30)
def test_a_file_with_any_text_is_accepted_or_rejected(
    sandbox: Sandbox, folder: Path, option: str, text: str
) -> None:
    """The text may be any JSON, or not JSON."""
    files = {
        "config": json.dumps(sandbox.config),
        "catalog": json.dumps(small_catalog("tags")),
    }
    files[option] = text
    run_command_and_check(
        *(f"--{name}={write(folder, name, files[name])}" for name in files)
    )


@functools.cache
def states(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the STATE of a complete run and of failed runs."""
    sandbox.faults.clear()
    results = [run(sandbox.config, *INCREMENTAL_STREAMS).state]
    for path, after in (
        ("/api/tickets", 1),
        ("/api/messages", 1),
        ("/api/tickets/*", 6),
        ("/api/jobs", 1),
        ("/api/phone/voice-call-events", 1),
    ):
        sandbox.faults.clear()
        sandbox.faults.add(Fault.error(403), path, after=after)
        results.append(run_and_check(sandbox.config, *INCREMENTAL_STREAMS).output.state)
    sandbox.faults.clear()
    return results


@given(seed=st.integers(0, 2**32), value=VALUES)
@examples(15)
def test_any_state_is_accepted_or_rejected(
    sandbox: Sandbox, folder: Path, seed: int, value: object
) -> None:
    """One value anywhere in a valid STATE is changed or added."""
    chance = Random(seed)  # noqa: S311 (no secret)
    state = copy.deepcopy(chance.choice(states(sandbox)))
    path = chance.choice([*paths(state)])
    if chance.random() < 0.5:
        path = (
            "bookmarks",
            chance.choice(INCREMENTAL_STREAMS),
            chance.choice(ENTRY_KEYS),
        )
        state["bookmarks"].setdefault(path[1], {})
    state_file = write(folder, "s", to_json(replaced(state, path, value)))
    catalog = write(folder, "k", json.dumps(small_catalog(*INCREMENTAL_STREAMS)))

    outcome = run_command_and_check(
        f"--config={write(folder, 'c', json.dumps(sandbox.config))}",
        f"--catalog={catalog}",
        f"--state={state_file}",
    )

    if not outcome.errors:
        rest = run_and_check(
            sandbox.config, *INCREMENTAL_STREAMS, state=outcome.output.state
        )
        assert rest.errors == []


@given(seed=st.integers(0, 2**32), value=VALUES)
@examples(30)
def test_any_catalog_is_accepted_or_rejected(
    sandbox: Sandbox, folder: Path, seed: int, value: object
) -> None:
    """One value anywhere in a valid catalog is changed or removed."""
    chance = Random(seed)  # noqa: S311 (no secret)
    catalog = small_catalog("tags", "tickets")
    entry = catalog["streams"][0]
    entry["metadata"] = entry["metadata"][:3]
    path = chance.choice([path for path in paths(catalog) if path])
    text = to_json(replaced(catalog, path, value))
    if chance.random() < 0.3:
        *outer, last = path
        parent = functools.reduce(lambda inner, key: inner[key], outer, catalog)
        del parent[last]
        text = to_json(catalog)

    run_command_and_check(
        f"--config={write(folder, 'c', json.dumps(sandbox.config))}",
        f"--catalog={write(folder, 'k', text)}",
        validate_records="schema" not in path,
    )
